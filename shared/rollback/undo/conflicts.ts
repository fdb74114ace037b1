import type { Entry } from "../../catalog/types.ts";
import { hangsOn } from "../guard/hangers.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { keysOfRenamed } from "./object-renamings.ts";
import type { UndoConflict } from "./plan-types.ts";

/** Whether somebody asked to undo over newer rows of a table. */
export type Discards = (table: string) => boolean;

/** What the catalog of now says against putting back what is left to do: each conflict, before anything runs. */
export function catalogConflicts(remembered: Remembered, entries: readonly Entry[], discards: Discards) {
  const now = new Map(entries.map((entry) => [entry.key, entry]));
  const newer = newerHangers(remembered, entries, discards);
  return {
    newer: newer.map(({ entry }) => entry),
    conflicts: [
      ...inTheWay(remembered, entries, now),
      ...changedSince(remembered, now),
      ...missing(remembered, now),
      ...newer.map(({ conflict }) => conflict),
    ],
  };
}

/** What the rollback made or changed, as it left it: this goes, or goes back. */
function goingKeys(remembered: Remembered): Set<string> {
  return new Set([...remembered.added, ...remembered.changed.map((change) => change.after)].map(({ key }) => key));
}

function inTheWay(remembered: Remembered, entries: readonly Entry[], now: ReadonlyMap<string, Entry>): UndoConflict[] {
  const goes = goingKeys(remembered);
  const named = byRelationName(entries.filter(({ key }) => !goes.has(key)));
  return remembered.removed.flatMap((entry) => {
    if (goes.has(entry.key)) return [];
    const other = named.get(relationName(entry) ?? "");
    if (now.has(entry.key)) return [conflict("object_in_the_way", entry.key, `${entry.key} exists again`)];
    return other === undefined ? [] : [conflict("object_in_the_way", other, `${other} has the name of ${entry.key}`)];
  });
}

function changedSince(remembered: Remembered, now: ReadonlyMap<string, Entry>): UndoConflict[] {
  const left = [...remembered.changed.map((change) => change.after), ...remembered.added];
  return left
    .filter(({ key, hash }) => now.get(key)?.hash !== hash)
    .map(({ key }) => {
      const there = now.has(key);
      return conflict(
        there ? "object_changed" : "object_gone",
        key,
        there ? `${key} was changed since` : `${key}, which was to be changed back, is gone`,
      );
    });
}

/** What comes back needs something that is neither there nor coming. */
function missing(remembered: Remembered, now: ReadonlyMap<string, Entry>): UndoConflict[] {
  const comes = [...remembered.removed, ...remembered.changed.map((change) => change.before)];
  const coming = new Set(comes.map(({ key }) => key));
  const goes = new Set(remembered.added.map(({ key }) => key));
  const needed = new Map<string, string>();
  for (const { key, dependencies } of comes)
    for (const on of dependencies)
      if (!coming.has(on) && (!now.has(on) || goes.has(on)) && !needed.has(on)) needed.set(on, key);
  return [...needed].map(([on, by]) => conflict("object_missing", on, `${by} needs ${on}, which is not there`));
}

/** Kinds that nothing which stays can do without, as it could without a view or a function. */
const holding = new Set(["SCHEMA", "TYPE", "DOMAIN", "COLLATION"]);

/** What others hung since on a table that the rollback made: it would go with it. Or on what else goes, or gets another name. */
function newerHangers(remembered: Remembered, entries: readonly Entry[], discards: Discards) {
  const made = new Map(remembered.added.filter(({ kind }) => kind === "TABLE").map((entry) => [entry.key, entry]));
  const known = goingKeys(remembered);
  const backs = keysOfRenamed(remembered, entries);
  const others = remembered.added.filter(({ kind, key }) => holding.has(kind) || backs.has(key)).map(({ key }) => key);
  const going = new Set([...made.keys(), ...others, ...backs]);
  const renamed = new Set(remembered.renamedTables.map(({ oid }) => oid));
  const found: { entry: Entry; conflict: UndoConflict }[] = [];
  for (const entry of entries) {
    const on = entry.dependencies.find((key) => going.has(key));
    if (on === undefined || known.has(entry.key) || entry.section === "data") continue;
    const hangs = hangsOn(entry, going);
    const table = made.get(on);
    if (hangs && table === undefined && !backs.has(on)) continue;
    // A column's sequence stays with a table that only had another name.
    if (entry.kind === "SEQUENCE" && table !== undefined && renamed.has(table.address.objid)) continue;
    const name = table === undefined ? null : `${table.schema}.${table.name}`;
    const what = backs.has(on)
      ? `${entry.key} came since, and needs ${on}, which gets its old name back`
      : hangs
        ? `${entry.key} came since, and goes with ${on}`
        : `${entry.key} came since, and needs ${on}, which goes`;
    const discard = hangs && name !== null ? name : null;
    found.push({ entry, conflict: conflict("object_newer", entry.key, what, { discard, discards }) });
  }
  return found;
}

export function conflict(
  kind: UndoConflict["kind"],
  subject: string,
  what: string,
  { discard = null, discards }: { discard?: string | null; discards?: Discards } = {},
): UndoConflict {
  return { kind, subject, what, by: null, discard, discarded: discard !== null && discards?.(discard) === true };
}

/** Kinds that share one space of names within a schema: pg_class, and pg_type by the row types of tables. */
const namedAlike = new Set([
  "TABLE",
  "VIEW",
  "MATERIALIZED VIEW",
  "FOREIGN TABLE",
  "SEQUENCE",
  "INDEX",
  "TYPE",
  "DOMAIN",
]);

function relationName({ kind, schema, name }: Entry): string | null {
  return namedAlike.has(kind) ? JSON.stringify([schema, name]) : null;
}

function byRelationName(entries: readonly Entry[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const entry of entries) {
    const name = relationName(entry);
    if (name !== null) named.set(name, entry.key);
  }
  return named;
}
