import { quoteIdent, quoteLiteral } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { candidatesFor } from "./candidates.ts";
import type { SeedCheck, SeedRow, SeedSchema, SeedTable } from "./types.ts";
import { plainType } from "./values.ts";

const mostCombinations = 20_000;

/**
 * Finds values that meet a table's conditions by letting the server try combinations of candidates; each row keeps
 * as many of its own values as it can. Rows for which nothing is found stay as they are.
 */
export async function solveChecks(
  session: Session,
  schema: SeedSchema,
  table: SeedTable,
  rows: readonly SeedRow[],
): Promise<SeedRow[]> {
  const solved = rows.map((row) => new Map(row));
  for (const part of connected(table)) {
    const text = rows.map((row, index) => query(schema, table, part, row, index)).join(" union all ");
    const found = await tryQuery(session, text);
    for (const { row, values } of found)
      for (const [place, name] of part.columns.entries()) {
        const value = values[place] ?? null;
        solved[row]!.set(name, value === null ? "null" : quoteLiteral(value));
      }
  }
  return solved;
}

interface Part {
  readonly columns: string[];
  readonly checks: SeedCheck[];
}

/** Conditions that share columns belong together; generated columns cannot be chosen. */
function connected(table: SeedTable): Part[] {
  const free = new Set(table.columns.filter(({ generated }) => !generated).map(({ name }) => name));
  let parts: Part[] = [];
  for (const check of table.checks) {
    if (check.columns.length === 0 || !check.columns.every((name) => free.has(name))) continue;
    const touching = parts.filter((part) => part.columns.some((name) => check.columns.includes(name)));
    const columns = [...new Set([...touching.flatMap((part) => part.columns), ...check.columns])];
    const joined = { columns, checks: [...touching.flatMap((part) => part.checks), check] };
    parts = [...parts.filter((part) => !touching.includes(part)), joined];
  }
  return parts;
}

function query(schema: SeedSchema, table: SeedTable, part: Part, row: SeedRow, index: number): string {
  const columns = part.columns.map((name) => table.columns.find((column) => column.name === name)!);
  const lists = columns.map((column) =>
    candidatesFor(
      schema,
      table,
      column,
      part.checks.filter((check) => check.columns.includes(column.name)),
      row,
    ),
  );
  shorten(lists);
  const sources = columns.map((column, place) => {
    const type = plainType(schema.types, column.type, column.modifier)?.type.name ?? "text";
    const values = (lists[place]!.length === 0 ? ["null"] : lists[place]!).map(
      (each, rank) => `(${each}::${type}, ${rank})`,
    );
    return `(values ${values.join(", ")}) as c${place}(${quoteIdent(column.name)}, rank${place})`;
  });
  const names = columns.map(({ name }) => `${quoteIdent(name)}::text`).join(", ");
  const ranks = columns.map((_, place) => `rank${place}`).join(" + ");
  const where = part.checks.map(({ expression }) => `(${expression}) is not false`).join(" and ");
  return `(select ${index} as row, to_json(array[${names}]) as values from ${sources.join(" cross join ")} where ${where} order by ${ranks} limit 1)`;
}

function shorten(lists: string[][]): void {
  const size = () => lists.reduce((product, list) => product * Math.max(1, list.length), 1);
  while (size() > mostCombinations) {
    const longest = lists.reduce((a, b) => (b.length > a.length ? b : a));
    longest.length = Math.ceil(longest.length * 0.8) - (longest.length < 5 ? 1 : 0);
  }
}

async function tryQuery(session: Session, text: string): Promise<{ row: number; values: (string | null)[] }[]> {
  try {
    const done = await session.run(`savepoint belay_solve; ${text}; ${endOfTry}`);
    return (done as unknown as { row: number; values: (string | null)[] }[][])[1]!;
  } catch {
    await session.run(endOfTry);
    return [];
  }
}

const endOfTry = "rollback to savepoint belay_solve; release savepoint belay_solve";
