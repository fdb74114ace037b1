import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { qualified, quoteLiteral } from "../../shared/catalog/identifiers.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import { readRows } from "../../shared/migrations/prove/rows/read-rows.ts";
import { seedRows } from "../../shared/migrations/prove/rows/seed.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { toolSchema } from "./chain.ts";
import { type LevelState, nameOf, refreshViews, rowsThatDiffer } from "./state.ts";

/** Generated rows in tables that held none, so that they can be taken out again without a trace. */
export interface Seeded {
  /** Tables that got rows, quoted. */
  readonly tables: readonly string[];
  /** Tables that would not take any. */
  readonly unseeded: readonly string[];
  /** Statements that drop what triggers made for the rows. */
  readonly drops: readonly string[];
  /** Statements that put sequences back where they stood. */
  readonly sequences: readonly string[];
}

const nothing = { tables: [], drops: [], sequences: [] };

export const nothingSeeded: Seeded = { ...nothing, unseeded: [] };

/** Puts generated rows into every table without any, of all that a migration's rollback could destroy. */
export async function seedEmpty(
  session: Session,
  { rows: before, catalog }: LevelState,
  rows: number,
  seed: number,
): Promise<Seeded> {
  const open = before.filter(({ count, schema }) => count === 0 && schema !== toolSchema);
  if (open.length === 0 || rows === 0) return { ...nothing, unseeded: [] };
  const sequences = await readSequences(session);
  await session.run("begin");
  try {
    await session.run("set local statement_timeout = '60s'");
    await seedRows(session, { rows, seed, emptyOnly: true });
    const after = await readRows(session);
    // A trigger that writes elsewhere could not be taken back.
    const others = before.filter(({ count, schema }) => count > 0 || schema === toolSchema);
    if (rowsThatDiffer(others, after).length > 0) throw new Error("a trigger wrote to other tables");
    const { removed, changed, added } = compareCatalogs(catalog, await readCatalog(session));
    if (removed.length + changed.length > 0) throw new Error("a trigger changed other objects");
    await session.run("commit");
    const filled = new Set(after.filter(({ count }) => count > 0).map(nameOf));
    const names = open.filter((table) => filled.has(nameOf(table)));
    return {
      tables: names.map(({ schema, name }) => qualified(schema, name)),
      unseeded: open.filter((table) => !filled.has(nameOf(table))).map(nameOf),
      drops: added.flatMap(({ drop }) => (drop === null || drop.trim() === "" ? [] : [drop])).reverse(),
      sequences,
    };
  } catch {
    await session.run("rollback");
    return { ...nothing, unseeded: open.map(nameOf) };
  }
}

/** Takes out what seedEmpty put in, of materialised views too that were filled meanwhile. */
export async function takeOut(session: Session, { tables, drops, sequences }: Seeded): Promise<void> {
  if (tables.length === 0) return;
  await session.run("begin; set local session_replication_role = replica");
  for (const name of tables) await session.run(`delete from only ${name}`);
  for (const statement of drops) await session.run(statement);
  for (const statement of sequences) await session.run(statement);
  await refreshViews(session);
  await session.run("commit");
}

async function readSequences(session: Session): Promise<string[]> {
  const names = await session.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'S' and n.nspname not in ('pg_catalog', 'information_schema', 'belay')`;
  const statements: string[] = [];
  for (const { name } of names) {
    const [at] = await session.run(`select last_value::text as value, is_called as called from ${name}`);
    statements.push(`select setval(${quoteLiteral(name)}, ${at!.value}, ${at!.called})`);
  }
  return statements;
}
