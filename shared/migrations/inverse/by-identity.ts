import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { parseTable } from "../../rollback/transaction/column-order.ts";
import { columnsOf } from "../../rollback/undo/columns.ts";
import { grantsFromEntries, statementsFromEntries } from "./entries.ts";
import { gainedLabels } from "./enum-labels.ts";
import { notNullNamesBack } from "./not-null-names.ts";
import { renamesBack } from "./renames.ts";
import type { States, Steps } from "./trial.ts";

/** Columns by table's oid. */
type Columns = ReadonlyMap<number, readonly string[]>;

/**
 * A way back that keeps every identity: names, schemas and parents first, for what was moved keeps its rows; then types;
 * then what else differs, by the entries' own texts. Enum labels stay, because Postgres cannot take one away.
 */
export async function byIdentity(steps: Steps, { wanted, before, after, role }: States): Promise<void> {
  await steps.run(renamesBack(before.identities, after));
  await steps.run(changedTables(wanted, await steps.read()).flatMap(notNullNamesBack));
  const now = await steps.read();
  const target = withKeptLabels(wanted, now);
  await steps.run(parentsBack(target, now));
  const gained = new Map<number, string[]>();
  for (const [identity, { kind, name }] of await steps.identities()) {
    const oid = Number(identity.split(".")[0]);
    // A table that the migration made anew in place of the old one holds its rows: its columns change in place.
    if (kind !== "column" || before.identities.has(identity) || !before.identities.has(`c${oid}`)) continue;
    gained.set(oid, [...(gained.get(oid) ?? []), name]);
  }
  const types = typesBack(target, now, gained);
  if (types.length > 0) await steps.run(obstacles(target, await steps.read()));
  await steps.run(types);
  await steps.run(statementsFromEntries(target, await steps.read(), role, gained));
  await steps.run(grantsFromEntries(target, await steps.read()));
}

/** Pairs of table entries that differ, as they are and as they are wanted. */
function changedTables(wanted: Catalog, now: Catalog): { is: Entry; was: Entry }[] {
  const current = new Map(now.entries.map((entry) => [entry.key, entry]));
  return wanted.entries.flatMap((was) => {
    const is = current.get(was.key);
    return was.kind !== "TABLE" || is === undefined || is.create === was.create ? [] : [{ is, was }];
  });
}

function parentsBack(wanted: Catalog, now: Catalog): string[] {
  return changedTables(wanted, now).flatMap(({ is, was }) => {
    const [old, current] = [parents(was), parents(is)];
    const table = qualified(was.schema, was.name);
    return [
      ...current.filter((name) => !old.includes(name)).map((name) => `ALTER TABLE ${table} NO INHERIT ${name}`),
      ...old.filter((name) => !current.includes(name)).map((name) => `ALTER TABLE ${table} INHERIT ${name}`),
    ];
  });
}

function parents(table: Entry): string[] {
  const list = parseTable(table.create)?.tail.match(/^\s*INHERITS \(([^)]*)\)/)?.[1];
  return list === undefined ? [] : list.split(", ");
}

/** Gives columns that stay their types back, by a cast of each value. */
function typesBack(wanted: Catalog, now: Catalog, gained: Columns): string[] {
  return changedTables(wanted, now).flatMap(({ is, was }) => {
    const [old, current] = [parseTable(was.create), parseTable(is.create)];
    if (old === null || current === null) return [];
    const columns = columnsOf(current);
    const made = (gained.get(is.address.objid) ?? []).map((name) => quoteIdent(name));
    return [...columnsOf(old).values()].flatMap((column) => {
      const { type, generated, expression } = columns.get(column.name) ?? column;
      if (type === column.type || generated || column.generated || made.includes(column.name)) return [];
      const alter = `ALTER TABLE ${qualified(was.schema, was.name)} ALTER COLUMN ${column.name}`;
      const cast = column.type.replace(/ COLLATE .*$/s, "");
      return [
        ...(expression === null ? [] : [`${alter} DROP DEFAULT`]),
        `${alter} TYPE ${column.type} USING ${column.name}::${cast}`,
      ];
    });
  });
}

/** Takes away what keeps columns of changed tables from getting another type; it holds no rows, and comes back by its entry. */
function obstacles(wanted: Catalog, now: Catalog): string[] {
  const above = new Set(changedTables(wanted, now).map(({ is }) => is.key));
  const going: Entry[] = [];
  for (const entry of now.entries) {
    if (!["VIEW", "POLICY"].includes(entry.kind) || !entry.dependencies.some((key) => above.has(key))) continue;
    above.add(entry.key);
    going.push(entry);
  }
  return going.reverse().map(({ drop }) => drop!.trim().replace(/;$/, ""));
}

/** The wanted catalog, but with the labels that an enum has gained. */
function withKeptLabels(wanted: Catalog, now: Catalog): Catalog {
  const current = new Map(now.entries.map((entry) => [entry.key, entry]));
  const entries = wanted.entries.map((was) => {
    const is = current.get(was.key);
    return is !== undefined && gainedLabels(was, is).length > 0 ? is : was;
  });
  return { ...wanted, entries };
}
