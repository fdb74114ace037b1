import { entryWords, namedAfterTable } from "../../catalog/entry-words.ts";
import type { EffectObject } from "../types.ts";
import type { MadeAnew } from "./made-anew.ts";

/** What one snapshot says of an entry; `columns` for tables whose columns matter. */
export interface SnapshotEntry {
  readonly key: string;
  readonly kind: string;
  readonly hash: string;
  readonly columns: readonly string[] | null;
}

/** A migration's own before and after. */
export interface SnapshotPair {
  readonly before: readonly SnapshotEntry[];
  readonly after: readonly SnapshotEntry[];
}

/** Why an overreach is one: the word by which a later migration's work is told from an earlier one's. */
export const cameAfter = "it came after the migration";

/** Something that the rollback would destroy and that the migration did not make. */
export interface Overreach {
  readonly key: string;
  readonly what: string;
  readonly why: string;
  /** The migration that made it, when a snapshot tells. */
  readonly madeBy: string | null;
}

/** Parts that undo brings back with their table: they are judged with it. */
const parts = new Set([
  "INDEX",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "FK CONSTRAINT",
  "TRIGGER",
  "POLICY",
  "RULE",
  "STATISTICS",
  "TABLE DATA",
  "SEQUENCE SET",
  "SEQUENCE OWNED BY",
  "MATERIALIZED VIEW DATA",
  "COMMENT",
  "ACL",
  "ROW SECURITY",
  "DEFAULT",
  "TABLE ATTACH",
  "INDEX ATTACH",
  "SECURITY LABEL",
  "PUBLICATION TABLE",
]);

/** Facts about what goes, for provenance alone. */
export interface Destroyed {
  readonly objects: readonly EffectObject[];
  /** What each entry depends on, by key. */
  readonly dependencies: ReadonlyMap<string, readonly { readonly key: string; readonly name: string }[]>;
  readonly columns: readonly {
    readonly tableKey: string;
    readonly schema: string | null;
    readonly name: string;
    readonly columns: readonly string[];
  }[];
  /** Keys of tables that are dropped and made again: their rows go all the same. */
  readonly remade: readonly string[];
}

/** Only what the migration made between its snapshots may go; everything else is an overreach. */
export function findOverreach(
  destroyed: Destroyed,
  pair: SnapshotPair,
  madeAnew: MadeAnew = () => false,
): Omit<Overreach, "madeBy">[] {
  const before = new Set(pair.before.map((entry) => entry.key));
  const after = new Set(pair.after.map((entry) => entry.key));
  const gone = new Set(destroyed.objects.filter((each) => each.change === "destroyed").map((each) => each.key));
  const result: Omit<Overreach, "madeBy">[] = [];
  for (const object of destroyed.objects) {
    const remade = destroyed.remade.includes(object.key);
    if (object.change !== "destroyed" && !remade) continue;
    const { key } = object;
    const what = entryWords(object);
    const withOwner = (destroyed.dependencies.get(key) ?? []).some(
      (owner) => gone.has(owner.key) && isPartOf(object, owner.name),
    );
    if (withOwner) continue;
    const anew = object.kind === "TABLE" && after.has(key) && madeAnew(object.schema, object.name);
    if (before.has(key) && !anew) result.push({ key, what, why: "it was there before the migration" });
    else if (!after.has(key)) result.push({ key, what, why: cameAfter });
  }
  return [...result, ...columnOverreach(destroyed, pair, madeAnew)];
}

/** A foreign key or trigger also depends on things that are not its table; its name begins with its table's. */
function isPartOf(object: EffectObject, owner: string): boolean {
  if (!parts.has(object.kind)) return false;
  return !namedAfterTable.has(object.kind) || object.name.startsWith(`${owner} `);
}

function columnOverreach(destroyed: Destroyed, pair: SnapshotPair, madeAnew: MadeAnew): Omit<Overreach, "madeBy">[] {
  return destroyed.columns.flatMap(({ tableKey, schema, name, columns }) => {
    const table = `${schema}.${name}`;
    const before = pair.before.find((entry) => entry.key === tableKey)?.columns ?? [];
    const after = pair.after.find((entry) => entry.key === tableKey)?.columns ?? [];
    return columns.flatMap((column) => {
      const what = `column ${column} of ${table}`;
      const anew = after.includes(column) && madeAnew(schema, name, column);
      if (before.includes(column) && !anew) return [{ key: tableKey, what, why: "it was there before the migration" }];
      if (!after.includes(column)) return [{ key: tableKey, what, why: cameAfter }];
      return [];
    });
  });
}

/** Whether the migration only added: nothing that was there before went or changed, but tables that gained something. */
export function isAdditive(pair: SnapshotPair): boolean {
  const after = new Map(pair.after.map((entry) => [entry.key, entry.hash]));
  const growing = new Set(["TABLE", "TABLE DATA", "ACL", "COMMENT"]);
  return pair.before.every(
    (entry) => after.get(entry.key) === entry.hash || (after.has(entry.key) && growing.has(entry.kind)),
  );
}

/** Tables that the migration itself removed: rollback SQL can bring them back only without their rows. */
export function removedTables(pair: SnapshotPair): string[] {
  const after = new Set(pair.after.map((entry) => entry.key));
  return pair.before.filter((entry) => entry.kind === "TABLE" && !after.has(entry.key)).map((entry) => entry.key);
}
