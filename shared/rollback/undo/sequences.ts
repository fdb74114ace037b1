import type { ArchivedSequence } from "../../archive/types.ts";
import { qualified, quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Remembered, Standing } from "../transaction/remembered.ts";
import { fellBack, lockSequences } from "../transaction/sequences.ts";

/** Sets each archived sequence to its value of then, or past its column's extreme where that is further on. */
export async function setSequences(
  session: Session,
  sequences: readonly ArchivedSequence[],
  stayed: Remembered["stayedSequences"] = [],
): Promise<void> {
  for (const sequence of sequences) {
    const name = qualified(sequence.schema, sequence.name);
    const was = stayed.find((each) => each.schema === sequence.schema && each.name === sequence.name);
    const { lastValue, isCalled } = was === undefined ? sequence : await furthest(session, name, was);
    await session.run(`select pg_catalog.setval(${quoteLiteral(name)}::regclass, ${BigInt(lastValue)}, ${isCalled})`);
    const [owner] = await session.sql`
      select format('%I.%I', n.nspname, t.relname) as table_name, quote_ident(a.attname) as column_name, q.seqincrement < 0 as descending
        from pg_depend d
        join pg_class t on t.oid = d.refobjid join pg_namespace n on n.oid = t.relnamespace
        join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
        join pg_sequence q on q.seqrelid = d.objid
       where d.classid = 'pg_class'::regclass and d.objid = ${name}::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0`;
    if (owner === undefined) continue;
    const [extreme, beyond] = owner.descending ? ["min", "<"] : ["max", ">"];
    await session.run(`
      select pg_catalog.setval(${quoteLiteral(name)}::regclass, x.value::bigint, true)
        from (select ${extreme}(${owner.column_name}) as value from ${owner.table_name}) x, ${name} s
       where x.value ${beyond} s.last_value`);
  }
}

/** Of a sequence that others could draw from since: where it stood before the SQL, or where they brought it. */
async function furthest(
  session: Session,
  name: string,
  { was, left }: NonNullable<Remembered["stayedSequences"]>[number],
): Promise<Standing> {
  const [{ oid }] = await session.sql<[{ oid: string }]>`select ${name}::text::regclass::oid::int8::text as oid`;
  // Also waits for those who drew a number and did not commit yet what they store it in.
  await lockSequences(session, [Number(oid)]);
  const [now] = await session.sql`
    select s.last_value::text as value, s.is_called as called, q.seqincrement::text as increment
      from ${session.sql.unsafe(name)} s, pg_sequence q where q.seqrelid = ${oid}::text::oid`;
  const is = { lastValue: now!.value as string, isCalled: now!.called as boolean };
  const drawn = is.lastValue !== left.lastValue || is.isCalled !== left.isCalled;
  const stood = { oid: 0, increment: now!.increment as string };
  return drawn && fellBack({ ...stood, ...is }, { ...stood, ...was }) ? is : was;
}

export function isIdentity(entry: Entry): boolean {
  return entry.kind === "SEQUENCE" && entry.create.trimStart().startsWith("ALTER TABLE");
}

/** Gives a sequence that stays its options back; null when it became, or was, an identity column's. */
export function sequenceRepair(current: Entry, target: Entry): string[] | null {
  if (isIdentity(current) !== isIdentity(target)) return null;
  const name = qualified(target.schema, target.name);
  if (!isIdentity(target)) {
    const options = target.create.match(/^\s*CREATE (?:UNLOGGED )?SEQUENCE .*?\n(.*);\s*$/s)?.[1];
    return options === undefined ? null : [alterSequence(name, options)];
  }
  const parts = target.create.match(
    /^\s*(ALTER TABLE .* ALTER COLUMN .*?) ADD (GENERATED (?:ALWAYS|BY DEFAULT)) AS IDENTITY \(\n\s*SEQUENCE NAME .*?\n(.*)\n\);/s,
  );
  if (parts === null) return null;
  return [`${parts[1]} SET ${parts[2]}`, alterSequence(name, parts[3]!)];
}

function alterSequence(name: string, options: string): string {
  const type = /^\s*AS /.test(options) ? "" : "AS bigint ";
  const cycle = /\bCYCLE\b/.test(options) ? "" : " NO CYCLE";
  return `alter sequence ${name} ${type}${options.trim()}${cycle}`;
}

/** Columns that are ALWAYS generated as identity take no value by UPDATE: answers the statements that open and close them. */
export async function identityOpened(
  session: Session,
  schema: string,
  table: string,
  columns: readonly string[],
): Promise<{ open: string[]; close: string[] }> {
  const rows = await session.sql`
    select a.attname as name
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table} and a.attidentity = 'a' and a.attname = any(${[...columns]}::text[])`;
  const alter = rows.map((row) => `alter table ${qualified(schema, table)} alter column ${quoteIdent(row.name)}`);
  return {
    open: alter.map((words) => `${words} set generated by default`),
    close: alter.map((words) => `${words} set generated always`),
  };
}
