import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import type { Session } from "../../shared/postgres/session.ts";

/** Puts two generated rows into every table that has none; answers the tables that would not take them. */
export async function fillEmptyTables(session: Session): Promise<string[]> {
  let waiting: { schema: string; name: string }[] = [...(await tables(session))];
  for (let round = 0; round < 4 && waiting.length > 0; round++) {
    const refused: typeof waiting = [];
    for (const table of waiting) if (!(await fill(session, table))) refused.push(table);
    waiting = refused;
  }
  return waiting.map(({ schema, name }) => `${schema}.${name}`);
}

async function tables(session: Session) {
  const rows = await session.sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'belay') order by 2`;
  const empty: { schema: string; name: string }[] = [];
  for (const row of rows) {
    const [count] = await session.run(`select count(*)::int as rows from ${qualified(row.schema, row.name)}`);
    if (count!.rows === 0) empty.push(row);
  }
  return empty;
}

async function fill(session: Session, table: { schema: string; name: string }): Promise<boolean> {
  const columns = await session.sql`
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
      join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${table.schema} and c.relname = ${table.name} and attnum > 0 and not attisdropped and attgenerated = ''`;
  const name = qualified(table.schema, table.name);
  const names = columns.map((column) => quoteIdent(column.name)).join(", ");
  await session.run("begin");
  try {
    for (const n of [1, 2]) {
      const values = columns.map((column) => value(column.name, column.type, n)).join(", ");
      await session.run(`insert into ${name} (${names}) overriding system value values (${values})`);
    }
    await session.run("commit");
    return true;
  } catch {
    await session.run("rollback");
    return false;
  }
}

/** Ids are 1 and 2; a base comes before its counter, as checks on trades want it. */
function value(column: string, type: string, n: number): string {
  if (/^base_.*asset/.test(column)) return "1";
  if (/^counter_.*asset/.test(column)) return "2";
  if (/\[\]$/.test(type)) return "'{}'";
  if (/json/.test(type)) return `'{"n": ${n}}'`;
  if (/bool/.test(type)) return n === 1 ? "true" : "false";
  if (/range/.test(type)) return "'[1,5)'";
  if (/timestamp|date/.test(type)) return `'2025-01-0${n}'`;
  if (/bytea/.test(type)) return `'\\x0${n}'`;
  if (/int|numeric|double|real/.test(type)) return String(n);
  return `'${n}'`;
}
