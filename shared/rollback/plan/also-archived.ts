import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { strongerMode } from "../effect/lock-modes.ts";
import type { AlsoArchived, Plan } from "../types.ts";
import { lostTable, readStats, type UnreadableTable } from "./losses.ts";
import { nearNames } from "./near-names.ts";

/** What was asked to be archived whole, partitions and child tables too, and which of it this role cannot read or lock. */
export interface AlsoArchivedFacts {
  readonly archived: readonly AlsoArchived[];
  readonly unreadable: readonly UnreadableTable[];
}

interface Found {
  readonly asked: string;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind */
  readonly kind: string;
  readonly extension: string | null;
}

/**
 * Finds tables and sequences by the names that were given: `schema.table`, quoted or not, or the name alone where only
 * one has it. Throws `usage` for a name that is unknown, of several, or of what no archive can hold.
 */
export async function readAlsoArchived(
  session: Session,
  names: readonly string[],
  countUpToRows: number,
): Promise<AlsoArchivedFacts> {
  if (names.length === 0) return { archived: [], unreadable: [] };
  const found = await findRelations(session, names);
  for (const name of names)
    requireOne(
      name,
      found.filter(({ asked }) => asked === name),
      await knownNames(session, found, name),
    );
  const sequences = found.filter(({ kind }) => kind === "S").map(({ oid }) => oid);
  const oids = await withDescendants(
    session,
    found.filter(({ kind }) => kind !== "S").map(({ oid }) => oid),
  );
  const stats = await readStats(session, [...oids.keys()], null);
  const archived: AlsoArchived[] = [];
  for (const [oid, kind] of oids) {
    const table = stats.get(oid);
    if (table === undefined) throw hidden(found.find((each) => each.oid === oid));
    const rows = kind === "p" ? { ...none, schema: table.schema, table: table.name, oid } : null;
    archived.push({ kind: "table", ...(rows ?? (await lostTable(session, table, { countUpToRows }))) });
  }
  for (const { oid, schema, name } of found)
    if (sequences.includes(oid) && !archived.some((each) => each.oid === oid))
      archived.push({ kind: "sequence", ...none, schema, table: name, oid });
  archived.sort((a, b) => a.oid - b.oid);
  const unread = [...stats.values()].flatMap(({ schema, name, why }) =>
    why === null ? [] : [{ schema, table: name, why }],
  );
  return { archived, unreadable: [...unread, ...(await notLockable(session, archived))] };
}

/** A partitioned table has no rows of its own, and a sequence none at all. */
const none = { rows: 0, exact: true, bytes: 0 } as const;

async function findRelations(session: Session, names: readonly string[]): Promise<Found[]> {
  const rows = await session.sql`
    select asked, c.oid::int8::text as oid, n.nspname as schema, c.relname as name, c.relkind as kind,
           (select extname from pg_depend d join pg_extension e on e.oid = d.refobjid
             where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
               and d.refclassid = 'pg_extension'::regclass) as extension,
           asked in (n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname)) as whole
      from unnest(${[...new Set(names)]}::text[]) as asked, pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where asked in (c.relname, quote_ident(c.relname), n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname))
       and c.relkind in ('r', 'p', 'S', 'v', 'm', 'f') and c.relpersistence <> 't'
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;
  const exact = new Set(rows.filter(({ whole }) => whole).map(({ asked }) => asked as string));
  return rows
    .filter(({ asked, whole }) => whole || !exact.has(asked))
    .map((row) => ({
      asked: row.asked,
      oid: Number(row.oid),
      schema: row.schema,
      name: row.name,
      kind: row.kind,
      extension: row.extension,
    }));
}

const kinds: Readonly<Record<string, string>> = { v: "a view", m: "a materialised view", f: "a foreign table" };

function requireOne(name: string, found: readonly Found[], near: readonly string[]): void {
  const [first] = found;
  if (first === undefined)
    throw new BelayError("usage", `there is no table ${name} to archive`, {
      hint: near.length > 0 ? `Did you mean ${near.join(" or ")}?` : "Name it as schema.table.",
    });
  if (found.length > 1)
    throw new BelayError("usage", `${name} to archive could be ${found.map(full).join(" or ")}`, {
      hint: "Name it with its schema.",
    });
  if (first.schema === "belay")
    throw new BelayError("usage", `${full(first)} is Belay's own record: no rollback may change it`);
  if (kinds[first.kind] !== undefined)
    throw new BelayError("usage", `${full(first)} is ${kinds[first.kind]}: it has no rows of its own to archive`, {
      hint: "Name the tables that its rows come from.",
    });
  if (first.extension !== null)
    throw new BelayError("usage", `${full(first)} belongs to the extension ${first.extension}`, {
      hint: "No archive holds what an extension made: change it by hand, apart from the rollback SQL.",
    });
}

function full({ schema, name }: Found): string {
  return `${schema}.${name}`;
}

async function knownNames(session: Session, found: readonly Found[], name: string): Promise<string[]> {
  if (found.some(({ asked }) => asked === name)) return [];
  const rows = await session.sql`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and c.relpersistence <> 't'
       and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'belay')`;
  return nearNames(
    name,
    rows.map((row) => row.name),
  );
}

/** Oid to relkind of the tables with all their partitions and child tables. */
async function withDescendants(session: Session, oids: readonly number[]): Promise<Map<number, string>> {
  const rows = await session.sql`
    with recursive tree (oid) as (
      select unnest(${oids.map(String)}::text[]::oid[])
      union select inhrelid from tree join pg_inherits on inhparent = tree.oid
    ) select tree.oid::int8::text as oid, c.relkind as kind from tree join pg_class c using (oid) where c.relkind in ('r', 'p')`;
  return new Map(rows.map((row) => [Number(row.oid), row.kind]));
}

function hidden(found: Found | undefined): BelayError {
  const name = found === undefined ? "a partition of what is to be archived" : full(found);
  return new BelayError("usage", `${name} lies in a schema that this role may not use`);
}

/** LOCK TABLE wants a right to write. */
async function notLockable(session: Session, archived: readonly AlsoArchived[]): Promise<UnreadableTable[]> {
  const oids = archived.filter(({ kind }) => kind === "table").map(({ oid }) => String(oid));
  const rows = await session.sql`
    select n.nspname as schema, c.relname as table, 'role ' || current_user || ' may not lock it' as why
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids}::text[]::oid[]) and not has_table_privilege(c.oid, 'update, delete, truncate')`;
  return rows.map((row) => ({ schema: row.schema, table: row.table, why: row.why }));
}

const mode = "SHARE ROW EXCLUSIVE";

/** The locks of the plan with those that archiving on request takes; rows of these may change. */
export function withTheirLocks(locks: Plan["locks"], { archived }: AlsoArchivedFacts): Plan["locks"] {
  const asked = new Map(archived.map((each) => [each.oid, each]));
  const known = new Set(locks.map(({ oid }) => oid));
  const more = archived
    .filter(({ oid }) => !known.has(oid))
    .map(({ schema, table, oid }) => ({
      schema,
      relation: table,
      oid,
      mode,
      because: "archived on request",
      mayChangeRows: true,
    }));
  return [
    ...locks.map((lock) =>
      asked.has(lock.oid) ? { ...lock, mode: strongerMode(lock.mode as typeof mode, mode), mayChangeRows: true } : lock,
    ),
    ...more,
  ].sort((a, b) => a.oid - b.oid);
}
