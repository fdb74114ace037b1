import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { type Check, count, failed, naming, passed } from "./check.ts";

interface OwnedSequence {
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly column: string;
  readonly increment: bigint;
}

/** Every sequence of the manifest has its value again, and is ahead of the column that it feeds. */
export const sequencesCheck: Check = {
  name: "sequences",
  async run({ scratch, manifest }) {
    const wrong: string[] = [];
    for (const { schema, name, lastValue, isCalled } of manifest.sequences) {
      const found = await readValue(scratch, schema, name);
      if (found === null) wrong.push(`${schema}.${name} is missing`);
      else if (found.last !== lastValue || found.called !== isCalled)
        wrong.push(`${schema}.${name} is at ${found.last} instead of ${lastValue}`);
    }
    const owned = await ownedSequences(scratch);
    for (const sequence of owned) if (await isBehind(scratch, sequence)) wrong.push(describe(sequence));
    if (wrong.length > 0) return failed(naming("sequences are wrong", wrong));
    return passed(
      `${count(manifest.sequences.length, "value")} restored, ${count(owned.length, "sequence")} ahead of the columns`,
    );
  },
};

async function readValue(session: Session, schema: string, name: string) {
  const [exists] = await session.sql`
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and n.nspname = ${schema} and c.relname = ${name}`;
  if (exists === undefined) return null;
  const [row] = await session.run(
    `select last_value::text as last, is_called as called from ${qualified(schema, name)}`,
  );
  return { last: row!.last as string, called: row!.called as boolean };
}

async function ownedSequences(session: Session): Promise<OwnedSequence[]> {
  const rows = await session.sql`
    select sn.nspname as schema, s.relname as name, tn.nspname as "tableSchema", t.relname as "table",
      a.attname as column, q.seqincrement::text as increment
    from pg_depend d
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_namespace sn on sn.oid = s.relnamespace
    join pg_class t on t.oid = d.refobjid
    join pg_namespace tn on tn.oid = t.relnamespace
    join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
    join pg_sequence q on q.seqrelid = s.oid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)`;
  return rows.map((row) => ({ ...(row as unknown as OwnedSequence), increment: BigInt(row.increment) }));
}

/** Compares the next value with the column's end; sequences ignore snapshots, so the source's value says nothing. */
async function isBehind(session: Session, sequence: OwnedSequence): Promise<boolean> {
  const { last, called } = (await readValue(session, sequence.schema, sequence.name))!;
  const next = called ? BigInt(last) + sequence.increment : BigInt(last);
  const column = quoteIdent(sequence.column);
  const end = sequence.increment > 0n ? "max" : "min";
  const table = qualified(sequence.tableSchema, sequence.table);
  const [row] = await session.run(`select ${end}(${column})::text as reached from ${table}`);
  if (row!.reached === null) return false;
  return sequence.increment > 0n ? next <= BigInt(row!.reached) : next >= BigInt(row!.reached);
}

function describe({ schema, name, tableSchema, table, column }: OwnedSequence): string {
  return `${schema}.${name} is behind ${tableSchema}.${table}.${column}`;
}
