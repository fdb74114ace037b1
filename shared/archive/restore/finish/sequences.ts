import { qualified, quoteIdent, quoteLiteral } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";

interface OwnedSequence {
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly column: string;
  readonly rising: boolean;
}

const perQuery = 100;

/**
 * Sequences whose next value their column has passed already, in words. Columns without an index are left out where
 * looking would take long.
 */
export async function sequencesBehind(session: Session): Promise<string[]> {
  const owned = await readOwned(session);
  const behind: string[] = [];
  for (let at = 0; at < owned.length; at += perQuery) {
    const part = owned.slice(at, at + perQuery);
    for (const { at: index } of await session.run(part.map(behindQuery).join(" union all "))) {
      const { schema, name, tableSchema, table, column } = part[index as number]!;
      behind.push(
        `the sequence ${qualified(schema, name)} is behind ${qualified(tableSchema, table)}.${quoteIdent(column)}, as it was in the archive`,
      );
    }
  }
  return behind;
}

async function readOwned(session: Session): Promise<OwnedSequence[]> {
  const rows = await session.sql<OwnedSequence[]>`
    select sn.nspname as schema, s.relname as name, tn.nspname as "tableSchema", t.relname as "table",
      a.attname as column, q.seqincrement > 0 as rising
    from pg_catalog.pg_depend d
    join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
    join pg_catalog.pg_class t on t.oid = d.refobjid and t.relkind in ('r', 'p')
    join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
    join pg_catalog.pg_sequence q on q.seqrelid = s.oid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) and not q.seqcycle
      and (t.relpages < 10000 or exists (select from pg_catalog.pg_index i where i.indrelid = t.oid and i.indkey[0] = a.attnum))`;
  return [...rows];
}

function behindQuery({ schema, name, tableSchema, table, column, rising }: OwnedSequence, at: number): string {
  const sequence = qualified(schema, name);
  const [end, beyond] = rising ? ["max", ">"] : ["min", "<"];
  const reached = `(select ${end}(${quoteIdent(column)}) from ${qualified(tableSchema, table)})`;
  const next = `last_value + case when is_called then (select seqincrement from pg_catalog.pg_sequence where seqrelid = ${quoteLiteral(sequence)}::regclass) else 0 end`;
  // At its last value a sequence cannot go on, and says so itself.
  return `select ${at} as at from ${sequence} where ${reached} ${beyond}= ${next}`;
}
