import { collect } from "../../shared/archive/digesting.ts";
import { readTableRows } from "../../shared/archive/read/objects.ts";
import type { ArchivedTable, Manifest } from "../../shared/archive/types.ts";
import { requireVerified } from "../../shared/archive/verify.ts";
import type { Session } from "../../shared/postgres/session.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import type { Model, Rows } from "./log.ts";
import { type Scenario, tables } from "./schema.ts";

/** After a rollback: each committed row is in its table or in the archive, as it was committed. */
export async function checkRolledBack(
  session: Session,
  store: ObjectStore,
  archiveId: string,
  scenario: Scenario,
  model: Model,
): Promise<string[]> {
  const manifest = await requireVerified(store, archiveId);
  const wrong: string[] = [];
  for (const name of [...scenario.gone, ...Object.keys(scenario.changed)]) {
    const archived = manifest.tables.find(({ table, role }) => table === name && role === "table");
    if (archived === undefined) wrong.push(`the archive has no ${name}`);
    else
      wrong.push(...differences(`archived ${name}`, name, model, await archivedRows(store, manifest, archived, name)));
  }
  for (const [name, column] of Object.entries(scenario.columns))
    wrong.push(...(await lostColumn(store, manifest, name, column, model)));
  return [...wrong, ...(await checkTables(session, scenario, model))];
}

/** After an undo (no scenario) all tables are as the log says, and no sequence is behind; after a rollback, those that stay. */
export async function checkTables(session: Session, scenario: Scenario | null, model: Model): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, key, values } of tables) {
    if (scenario?.gone.includes(name)) continue;
    const lost = scenario?.columns[name];
    const columns = [...key, ...values.map((value) => (value === lost ? `null as ${value}` : value))];
    const found = await session.run(`select ${columns.join(", ")} from ${name}`);
    const rows: Rows = new Map(
      found.map((row) => [
        key.map((column) => String(row[column])).join(" "),
        values.map((column) => (row[column] === null ? null : String(row[column]))),
      ]),
    );
    if (rows.size !== found.length) wrong.push(`${name} holds a key twice`);
    const expected = scenario?.changed[name];
    wrong.push(
      ...differences(name, name, model, rows, { lost: lost === undefined ? -1 : values.indexOf(lost), expected }),
    );
  }
  return [...wrong, ...(await sequencesBehind(session, scenario, model))];
}

async function sequencesBehind(session: Session, scenario: Scenario | null, model: Model): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, { greatest }] of model.drawn) {
    if (greatest === 0n || scenario?.gone.includes(name)) continue;
    const [row] = await session.run(`select last_value::text as value, is_called from ${name}_id_seq`);
    if (BigInt(row!.value) < greatest || (BigInt(row!.value) === greatest && !row!.is_called))
      wrong.push(`${name}_id_seq stands at ${row!.value}, and ${greatest} was given`);
  }
  return wrong;
}

interface Expected {
  /** Index of a value that is not there. */
  readonly lost?: number;
  /** Value of every row. */
  readonly expected?: string | undefined;
}

/** Rows that are missing, too many or other than the log says; at most three of each table. */
function differences(
  place: string,
  table: string,
  model: Model,
  found: Rows,
  { lost = -1, expected }: Expected = {},
): string[] {
  const wrong: string[] = [];
  const rows = model.rows.get(table)!;
  const known = (key: string) => !model.unknown.has(`${table} ${key}`);
  const words = (values: readonly (string | null)[]) =>
    values.map((value, at) => (at === lost ? "-" : (expected ?? value))).join(",");
  for (const [key, values] of rows) {
    const is = found.get(key);
    if (is === undefined && known(key)) wrong.push(`${place} lacks ${key}`);
    else if (is !== undefined && known(key) && words(is) !== words(values) && expected === undefined)
      wrong.push(`${place} ${key} is ${is}, and ${values} was committed`);
    if (is !== undefined && expected !== undefined && is[0] !== expected) wrong.push(`${place} ${key} is ${is}`);
  }
  // What was there before the writers is not in their log.
  for (const key of found.keys())
    if (!rows.has(key) && known(key) && table !== "rates")
      wrong.push(`${place} has ${key}, which was deleted or never committed`);
  return wrong.length > 3 ? [...wrong.slice(0, 3), `and ${wrong.length - 3} more in ${place}`] : wrong;
}

async function lostColumn(store: ObjectStore, manifest: Manifest, name: string, column: string, model: Model) {
  const side = manifest.tables.find(({ mergesInto }) => mergesInto?.table === name);
  if (side === undefined) return [`the archive has no ${name}.${column}`];
  const at = tables.find((table) => table.name === name)!.values.indexOf(column);
  const rows = new Map((await copyRows(store, manifest, side)).map((row) => [row.get("id")!, row.get(column) ?? null]));
  return [...model.rows.get(name)!].flatMap(([key, values]) =>
    values[at] === null || rows.get(key) === values[at] || model.unknown.has(`${name} ${key}`)
      ? []
      : [`archived ${name}.${column} of ${key} is ${rows.get(key)}, and ${values[at]} was committed`],
  );
}

async function archivedRows(store: ObjectStore, manifest: Manifest, table: ArchivedTable, name: string): Promise<Rows> {
  const { key, values } = tables.find((each) => each.name === name)!;
  const rows = await copyRows(store, manifest, table);
  return new Map(
    rows.map((row) => [
      key.map((column) => row.get(column)).join(" "),
      values.map((column) => row.get(column) ?? null),
    ]),
  );
}

/** The values need no unescaping: digits and letters alone. */
async function copyRows(
  store: ObjectStore,
  manifest: Manifest,
  table: ArchivedTable,
): Promise<Map<string, string | null>[]> {
  const bytes = await collect(readTableRows(store, manifest, table), 1_000_000_000);
  const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
  return lines.map((line) => {
    const values = line.split("\t");
    return new Map(table.columns.map((column, at) => [column, values[at] === "\\N" ? null : values[at]!]));
  });
}
