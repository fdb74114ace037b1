import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { qualified } from "../../shared/catalog/identifiers.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { type RowState, readRows, type TableRows } from "../../shared/migrations/prove/rows/read-rows.ts";
import { selectAll } from "../../shared/migrations/prove/rows/together.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { sameButForColumnOrder } from "../../shared/rollback/transaction/column-order.ts";

/** A whole database at one level: catalog, every row, sequences, materialised views, and Belay's ledger. */
export interface LevelState {
  readonly catalog: Catalog;
  readonly rows: RowState;
  readonly sequences: ReadonlyMap<string, string>;
  readonly views: ReadonlyMap<string, string>;
  readonly ledger: ReadonlyMap<string, string>;
}

export async function readState(session: Session): Promise<LevelState> {
  const catalog = await readCatalog(session);
  const relations = await session.sql<{ schema: string; name: string; kind: string; filled: boolean }[]>`
    select n.nspname as schema, c.relname as name, c.relkind as kind, c.relispopulated as filled
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('S', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'belay') and n.nspname !~ '^pg_'`;
  const sequences = relations.filter(({ kind }) => kind === "S").map(({ schema, name }) => qualified(schema, name));
  const views = relations.filter(({ kind }) => kind === "m");
  const ledger = await session.sql<{ name: string; value: string }[]>`
    select migration_name as name, status as value from belay.migration_history`;
  return {
    catalog,
    rows: await readRows(session),
    sequences: await named(
      session,
      sequences.map((name) => [name, `select last_value || '/' || is_called as value from ${name}`]),
    ),
    views: await named(
      session,
      views.map(({ schema, name, filled }) => [
        qualified(schema, name),
        filled
          ? `select count(*) || '/' || coalesce(sum(hashtextextended(v::text, 0)::numeric), 0) as value from ${qualified(schema, name)} v`
          : "select 'not filled' as value",
      ]),
    ),
    ledger: new Map(ledger.map(({ name, value }) => [name, value])),
  };
}

async function named(session: Session, selects: readonly (readonly [string, string])[]): Promise<Map<string, string>> {
  const parts = selects.map(([, text], index) => `select ${index} as i, (${text}) as value`);
  const found = await selectAll<{ i: number; value: string }>(session, parts);
  return new Map(found.map(({ i, value }) => [selects[i]![0], value]));
}

export interface Difference {
  /** What is not the same, for people; empty when nothing is. */
  readonly wrong: readonly string[];
  /** Tables whose columns stand in another order, and nothing else. */
  readonly otherOrder: readonly string[];
  /** Materialised views that hold other rows, quoted; not in `wrong`. */
  readonly views: readonly string[];
}

/** Compares what stood at a level on the way down with what stands there now; oids and column positions may differ. */
export function compareStates(was: LevelState, is: LevelState): Difference {
  const { removed, added, changed } = compareCatalogs(was.catalog, is.catalog);
  const otherOrder = changed.filter(({ before, after }) => sameButForColumnOrder(before, after));
  const wrong = [
    ...removed.map(({ key }) => `${key} is missing`),
    ...added.map(({ key }) => `${key} is too much`),
    ...changed
      .filter((change) => !otherOrder.includes(change))
      .map(({ before, after }) => `${before.key} differs: ${firstDifference(before.create, after.create)}`),
    ...rowsThatDiffer(was.rows, is.rows),
    ...valuesThatDiffer("sequence", was.sequences, is.sequences),
    ...valuesThatDiffer("ledger:", was.ledger, is.ledger),
  ];
  const views = [...was.views].flatMap(([name, value]) => (is.views.get(name) === value ? [] : [name]));
  return { wrong, views, otherOrder: otherOrder.map(({ before }) => `${before.schema}.${before.name}`) };
}

/** What the materialised views would hold if each were filled from the tables as they stand; nothing stays changed. */
export async function readRefreshed(session: Session): Promise<ReadonlyMap<string, string>> {
  await session.run("begin");
  await refreshViews(session);
  const { views } = await readState(session);
  await session.run("rollback");
  return views;
}

/** Fills each materialised view that holds rows from the tables as they stand. */
export async function refreshViews(session: Session): Promise<void> {
  const filled = await session.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'm' and c.relispopulated order by c.oid`;
  for (const { name } of filled) await session.run(`refresh materialized view ${name}`);
}

function firstDifference(one: string, other: string): string {
  const [a, b] = [one.split("\n"), other.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  return `${(a[at] ?? "").trim().slice(0, 160)} | ${(b[at === -1 ? a.length : at] ?? "").trim().slice(0, 160)}`;
}

export function rowsThatDiffer(was: RowState, is: RowState): string[] {
  const now = new Map(is.map((table) => [nameOf(table), table]));
  return was.flatMap((table) => {
    const same = now.get(nameOf(table));
    if (same === undefined) return [];
    if (table.count !== same.count) return [`${nameOf(table)}: ${table.count} rows became ${same.count}`];
    const names = table.columns.map(({ name }) => name).sort();
    const [before, after] = [textsOf(table, names), textsOf(same, names)];
    const at = before.findIndex((row, index) => row !== after[index]);
    return at === -1 ? [] : [`rows of ${nameOf(table)}: ${before[at]!.slice(0, 200)} | ${after[at]!.slice(0, 200)}`];
  });
}

function textsOf({ columns, rows, sums }: TableRows, names: readonly string[]): string[] {
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  const project = (row: readonly (string | null)[]) => JSON.stringify(places.map((place) => row[place] ?? null));
  return rows === null ? [project(sums)] : rows.map(project).sort();
}

function valuesThatDiffer(what: string, was: ReadonlyMap<string, string>, is: ReadonlyMap<string, string>): string[] {
  return [...was].flatMap(([name, value]) =>
    is.get(name) === value ? [] : [`${what} ${name}: ${value} became ${is.get(name) ?? "nothing"}`],
  );
}

export function nameOf({ schema, name }: Pick<TableRows, "schema" | "name">): string {
  return `${schema}.${name}`;
}

export function countRows(rows: RowState): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
