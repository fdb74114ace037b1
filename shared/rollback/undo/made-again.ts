import type { CatalogDifference, Entry } from "../../catalog/types.ts";
import { parseTable } from "../transaction/column-order.ts";
import { columnsOf } from "./columns.ts";
import { labels, labelsBack } from "./enums.ts";

type Change = CatalogDifference["changed"][number];

/** Kinds that cannot be changed in place without the tables below them being free. */
const viewLike = new Set(["VIEW", "FOREIGN TABLE", "MATERIALIZED VIEW"]);

const routines = new Set(["FUNCTION", "PROCEDURE"]);

/** What holds no rows of its own, so that it may go and come with what it hangs on. */
const goesAlong = new Set([
  ...[...viewLike, ...routines, "AGGREGATE", "OPERATOR", "CAST", "INDEX", "STATISTICS", "POLICY", "EVENT TRIGGER"],
  ...["ACL", "COMMENT", "SECURITY LABEL", "TRIGGER", "RULE", "DEFAULT", "CHECK CONSTRAINT"],
  ...["TABLE ATTACH", "PUBLICATION TABLE", "MATERIALIZED VIEW DATA"],
]);

/** What the rollback made and something that stays may have come to use. */
const goesAlone = new Set([...viewLike, ...routines, "AGGREGATE", "OPERATOR"]);

/**
 * What has to be dropped and made again, with all that hangs on it: views that CREATE OR REPLACE could not change and
 * those over a column whose type changes, functions with another signature, and what nothing can change in place. Where
 * something that holds rows hangs on it, it is left out.
 */
export function madeAgain(
  { changed, removed }: Pick<CatalogDifference, "changed" | "removed">,
  now: readonly Entry[],
  expected: readonly Entry[],
  inPlace: (change: Change) => boolean,
): Change[] {
  const targets = new Map(expected.map((entry) => [entry.key, entry]));
  const again = new Map<string, Change>();
  const leaving = new Set(removed.map(({ key }) => key));
  const roots = [
    ...changed.flatMap((change) => rootsOf(change, now, inPlace)),
    ...removed.filter(({ kind }) => goesAlone.has(kind)),
  ];
  for (const root of roots) {
    if (again.has(root.key)) continue;
    const above = dependents(root, now).filter(({ key }) => !leaving.has(key));
    if (!above.every(({ kind }) => goesAlong.has(kind))) continue;
    for (const before of [root, ...above]) {
      const after = targets.get(before.key);
      if (after !== undefined) again.set(before.key, { before, after });
    }
  }
  return [...again.values()];
}

function rootsOf(change: Change, now: readonly Entry[], inPlace: (change: Change) => boolean): Entry[] {
  const { before, after } = change;
  if (after.kind === "TABLE")
    return retypes(change)
      ? now.filter(({ kind, dependencies }) => viewLike.has(kind) && dependencies.includes(before.key))
      : [];
  if (after.kind === "TYPE" && isEnum(before) && isEnum(after))
    return labelsBack(before, after) === null ? usesOf(before, now) : [];
  if (routines.has(after.kind)) return signature(before) === signature(after) ? [] : [before];
  return viewLike.has(after.kind) || !inPlace(change) ? [before] : [];
}

function isEnum(entry: Entry): boolean {
  return labels(entry) !== null;
}

/** What names values of a type, and the views over tables that hold some. */
function usesOf(type: Entry, now: readonly Entry[]): Entry[] {
  const using = now.filter(({ dependencies }) => dependencies.includes(type.key));
  const tables = new Set(using.filter(({ kind }) => kind === "TABLE").map(({ key }) => key));
  const over = now.filter(
    ({ kind, dependencies }) => viewLike.has(kind) && dependencies.some((key) => tables.has(key)),
  );
  return [...using.filter(({ kind }) => !said.has(kind) && goesAlong.has(kind)), ...over];
}

/** Parts of the type itself. */
const said = new Set(["ACL", "COMMENT", "SECURITY LABEL"]);

/** Whether a column that stays gets another type, which no view over it allows. */
function retypes({ before, after }: Change): boolean {
  const [is, was] = [parseTable(before.create), parseTable(after.create)];
  if (is === null || was === null) return false;
  const columns = columnsOf(was);
  return [...columnsOf(is).values()].some(({ name, type }) => (columns.get(name)?.type ?? type) !== type);
}

/** Name, parameters and result: the first line. */
function signature({ create }: Entry): string {
  return create.trimStart().split("\n")[0]!;
}

function dependents(root: Entry, now: readonly Entry[]): Entry[] {
  const keys = new Set([root.key]);
  const found: Entry[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const entry of now) {
      if (keys.has(entry.key) || !entry.dependencies.some((key) => keys.has(key))) continue;
      keys.add(entry.key);
      found.push(entry);
    }
  }
  return found;
}
