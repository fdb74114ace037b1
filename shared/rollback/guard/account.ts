import type { Session } from "../../postgres/session.ts";
import { type DeferrableTrigger, readDeferrableTriggers, readOwnSchema, readUnchecked } from "./watched.ts";

/** A table, matview, sequence... as pg_class and pg_attribute have it; equal accounts without row locks mean equal rows. */
export interface RelationAccount {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r table, p partitioned, m matview, S sequence, f foreign table, v view. */
  readonly kind: string;
  /** False for a materialised view that holds no rows yet. */
  readonly filled: boolean;
  /** Storage of heap and toast; another one means truncated or rewritten. */
  readonly storage: string;
  readonly columns: readonly ColumnAccount[];
}

export interface ColumnAccount {
  readonly number: number;
  readonly name: string;
  /** Type, modifier, collation and missing value: how stored bytes are read. */
  readonly reading: string;
  readonly generated: boolean;
}

export interface SequenceAccount {
  readonly oid: number;
  readonly lastValue: string;
  readonly isCalled: boolean;
  readonly increment: string;
}

export interface RowCounters {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** What the database itself says of a transaction: see facts.md, "What the database says of a transaction". */
export interface Account {
  readonly relations: ReadonlyMap<number, RelationAccount>;
  readonly sequences: ReadonlyMap<number, SequenceAccount>;
  readonly counters: ReadonlyMap<number, RowCounters>;
  /** Lock modes that this backend holds, by relation oid. */
  readonly locks: ReadonlyMap<number, readonly string[]>;
  readonly largeObjects: string;
  /** Digest of Belay's own schema. */
  readonly ownSchema: string;
  readonly deferrableTriggers: ReadonlyMap<number, DeferrableTrigger>;
  /** Tables whose foreign keys are not checked by all of their triggers. */
  readonly unchecked: readonly string[];
}

/**
 * Reads the account of the session's own transaction. Takes no lock above AccessShare. `earlier`: an account of the same
 * transaction; columns and sequences of what it has locked no further since are taken from there.
 */
export async function readAccount(session: Session, earlier?: Account): Promise<Account> {
  const locks = await readLocks(session);
  const known = earlier === undefined || writesCatalogs(locks) ? null : untouched(earlier, locks);
  const [counters, relations, sequences, largeObjects, ownSchema, deferrableTriggers, unchecked] = await Promise.all([
    readCounters(session),
    readRelations(session, known ?? new Map()),
    known === null ? readSequences(session) : readTouchedSequences(session, earlier!, known),
    readLargeObjects(session),
    readOwnSchema(session),
    readDeferrableTriggers(session),
    readUnchecked(session),
  ]);
  return { relations, counters, locks, sequences, largeObjects, ownSchema, deferrableTriggers, unchecked };
}

/** pg_class, pg_attribute and pg_sequence: DDL lets its lock on them go at once, so one that is held is of a statement that names them. */
const definingCatalogs = [1259, 1249, 2224];

function writesCatalogs(locks: Account["locks"]): boolean {
  return definingCatalogs.some((oid) => locks.get(oid)?.some((mode) => mode !== "AccessShareLock"));
}

/** Whatever changes a relation's columns, or a sequence, holds a lock on it until the transaction ends. */
function untouched({ relations }: Account, locks: Account["locks"]): Map<number, RelationAccount> {
  return new Map([...relations].filter(([oid]) => !locks.get(oid)?.some((mode) => mode !== "AccessShareLock")));
}

async function readTouchedSequences(
  session: Session,
  earlier: Account,
  known: ReadonlyMap<number, RelationAccount>,
): Promise<Map<number, SequenceAccount>> {
  const kept = [...earlier.sequences].filter(([oid]) => known.has(oid));
  return new Map([...kept, ...(await readSequences(session, { except: [...known.keys()] }))]);
}

/** `known`: relations whose columns need not be read. */
async function readRelations(
  session: Session,
  known: ReadonlyMap<number, RelationAccount>,
): Promise<Map<number, RelationAccount>> {
  const rows = await session.sql`
    with known as materialized (select unnest(${[...known.keys()].map(String)}::text[]::oid[]) as oid)
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relispopulated as filled,
           coalesce(pg_relation_filenode(c.oid)::text, '') || '/'
             || coalesce(pg_relation_filenode(nullif(c.reltoastrelid, 0))::text, '') as storage,
           case when k.oid is null then coalesce(a.columns, '[]'::json) end as columns
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join known k on k.oid = c.oid
      left join lateral (
        select json_agg(json_build_object(
                 'number', attnum, 'name', attname, 'generated', attgenerated <> '',
                 'reading', concat_ws(':', atttypid::int8, atttypmod, attcollation::int8, md5(attmissingval::text))
               ) order by attnum) as columns
          from pg_attribute
         where attrelid = c.oid and attnum > 0 and not attisdropped
      ) a on c.relkind <> 'S' and k.oid is null
     where c.relkind in ('r', 'p', 'm', 'S', 'f', 'v')
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
       and c.relpersistence <> 't'`;
  return new Map(
    rows.map((row) => [
      Number(row.oid),
      {
        oid: Number(row.oid),
        schema: row.schema,
        name: row.name,
        kind: row.kind,
        filled: row.filled,
        storage: row.storage,
        columns: row.columns ?? known.get(Number(row.oid))!.columns,
      },
    ]),
  );
}

/** Values of every sequence that the role may read; of `only` or all but `except` where these are given. */
export async function readSequences(
  session: Session,
  oids: { readonly only?: readonly number[]; readonly except?: readonly number[] } = {},
): Promise<Map<number, SequenceAccount>> {
  const result = new Map<number, SequenceAccount>();
  const only = oids.only?.map(String) ?? null;
  const except = (oids.except ?? []).map(String);
  const readable = await session.sql`
    select s.seqrelid::int8::text as oid, s.seqincrement::text as increment,
           format('select %s::int8 as oid, last_value, is_called from %I.%I', s.seqrelid::int8, n.nspname, c.relname) as query
      from pg_sequence s
      join pg_class c on c.oid = s.seqrelid
      join pg_namespace n on n.oid = c.relnamespace
     where c.relpersistence <> 't' and has_sequence_privilege(s.seqrelid, 'select')
       and (${only}::text[] is null or s.seqrelid = any(${only}::text[]::oid[]))
       and s.seqrelid not in (select unnest(${except}::text[]::oid[]))`;
  const increments = new Map(readable.map((row) => [Number(row.oid), row.increment as string]));
  for (let start = 0; start < readable.length; start += 200) {
    const queries = readable.slice(start, start + 200).map((row) => row.query as string);
    const values = await session.run(
      `select oid::text, last_value::text, is_called from (${queries.join(" union all ")}) s`,
    );
    for (const value of values)
      result.set(Number(value.oid), {
        oid: Number(value.oid),
        lastValue: value.last_value,
        isCalled: value.is_called,
        increment: increments.get(Number(value.oid))!,
      });
  }
  return result;
}

/** As pg_stat_xact_all_tables has them, without its joins. */
async function readCounters(session: Session): Promise<Map<number, RowCounters>> {
  const rows = await session.sql`
    select oid::int8::text as oid, inserted::text, updated::text, deleted::text
      from (select oid, pg_stat_get_xact_tuples_inserted(oid) as inserted, pg_stat_get_xact_tuples_updated(oid) as updated,
                   pg_stat_get_xact_tuples_deleted(oid) as deleted
              from pg_class where relkind in ('r', 't', 'm', 'p')) counted
     where inserted + updated + deleted > 0`;
  return new Map(
    rows.map((row) => [
      Number(row.oid),
      { inserted: Number(row.inserted), updated: Number(row.updated), deleted: Number(row.deleted) },
    ]),
  );
}

async function readLocks(session: Session): Promise<Map<number, string[]>> {
  const rows = await session.sql`
    select relation::int8::text as oid, array_agg(mode) as modes
      from pg_locks
     where locktype = 'relation' and pid = pg_backend_pid() and granted
       and database in (0, (select oid from pg_database where datname = current_database()))
     group by 1`;
  return new Map(rows.map((row) => [Number(row.oid), row.modes]));
}

async function readLargeObjects(session: Session): Promise<string> {
  const [row] = await session.sql`
    select count(*)::text || ':' || coalesce(sum(hashtextextended(m::text, 0)::numeric), 0)::text as account
      from pg_largeobject_metadata m`;
  return row!.account;
}
