import { qualified, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account, SequenceAccount } from "../guard/account.ts";
import { readAccount } from "../guard/account.ts";

/**
 * Holds sequences where they stand: numbers drawn after their values are read would be given again by undo.
 * LOCK TABLE takes no sequences; setting CYCLE to what it is takes SHARE ROW EXCLUSIVE, and writes no value.
 */
export async function lockSequences(session: Session, oids: readonly number[]): Promise<void> {
  if (oids.length === 0) return;
  const rows = await session.sql`
    select format('alter sequence %I.%I %s', n.nspname, c.relname, case when s.seqcycle then 'cycle' else 'no cycle' end) as text
      from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
     where s.seqrelid = any(${oids.map(String)}::text[]::oid[]) and pg_has_role(c.relowner, 'usage') order by s.seqrelid`;
  for (const { text } of rows) await session.run(text);
}

/** Whether `now` would give numbers that were given before: setval is not undone by ROLLBACK (facts.md). */
export function fellBack(before: SequenceAccount, now: SequenceAccount): boolean {
  const step = BigInt(before.increment) < 0n ? -1n : 1n;
  const distance = (BigInt(now.lastValue) - BigInt(before.lastValue)) * step;
  return distance < 0n || (distance === 0n && before.isCalled && !now.isCalled);
}

/** After a rolled-back attempt: puts sequences that fell back at least to their values of before. Answers their names. */
export async function restoreSequences(control: Session, before: Account): Promise<string[]> {
  return liftSequences(control, [...before.sequences.values()]);
}

/** Lifts sequences that fell back: to the greatest of then, now and what their column holds by now. Answers their names. */
export async function liftSequences(control: Session, before: readonly SequenceAccount[]): Promise<string[]> {
  if (before.length === 0) return [];
  const now = await readAccount(control);
  const restored: string[] = [];
  for (const was of before) {
    const is = now.sequences.get(was.oid);
    const relation = now.relations.get(was.oid);
    if (is === undefined || relation === undefined || !fellBack(was, is)) continue;
    const name = qualified(relation.schema, relation.name);
    const { value, called } = await beyondColumn(control, was);
    await control.run(`select pg_catalog.setval(${quoteLiteral(name)}::regclass, ${value}, ${called})`);
    restored.push(name);
  }
  return restored;
}

/** Others may have drawn and stored numbers since the value was read. */
async function beyondColumn(control: Session, was: SequenceAccount): Promise<{ value: bigint; called: boolean }> {
  const stood = { value: BigInt(was.lastValue), called: was.isCalled };
  const [owner] = await control.sql`
    select format('select %s(%I)::text as value from %I.%I', case when q.seqincrement < 0 then 'min' else 'max' end, a.attname, n.nspname, t.relname) as query
      from pg_depend d join pg_sequence q on q.seqrelid = d.objid
      join pg_class t on t.oid = d.refobjid join pg_namespace n on n.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
     where d.classid = 'pg_class'::regclass and d.objid = ${String(was.oid)}::text::oid
       and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0`;
  if (owner === undefined) return stood;
  const [column] = await control.run(owner.query);
  if (column!.value === null || !/^-?\d+$/.test(column!.value)) return stood;
  const held = BigInt(column!.value);
  const further = was.increment.startsWith("-") ? held < stood.value : held > stood.value;
  return further ? { value: held, called: true } : stood;
}

/** Owned sequences that would give a number which their column already holds, as `sequence behind table.column`. */
export async function sequencesBehind(session: Session, tables: readonly number[]): Promise<string[]> {
  if (tables.length === 0) return [];
  const owned = await session.sql`
    select format('%I.%I', sn.nspname, s.relname) as sequence, format('%I.%I', tn.nspname, t.relname) as table_name,
           quote_ident(a.attname) as column_name, q.seqincrement < 0 as descending
      from pg_depend d
      join pg_class s on s.oid = d.objid and s.relkind = 'S' and d.classid = 'pg_class'::regclass
      join pg_namespace sn on sn.oid = s.relnamespace
      join pg_sequence q on q.seqrelid = s.oid
      join pg_class t on t.oid = d.refobjid and t.relkind in ('r', 'p')
      join pg_namespace tn on tn.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
     where d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
       and t.oid = any(${tables.map(String)}::text[]::oid[])`;
  const behind: string[] = [];
  for (const row of owned) {
    const extreme = row.descending ? "min" : "max";
    const next = "case when is_called then last_value else last_value - 1 end";
    const [found] = await session.run(
      `select ${extreme}(${row.column_name})::numeric ${row.descending ? "<" : ">"} (select ${next} from ${row.sequence}) as behind from ${row.table_name}`,
    );
    if (found!.behind === true) behind.push(`${row.sequence} behind ${row.table_name}.${row.column_name}`);
  }
  return behind;
}
