import { entryWords, namedAfterTable } from "../../catalog/entry-words.ts";
import type { EffectObject } from "../types.ts";
import type { MadeAnew } from "./made-anew.ts";

/** What the migrations of a set together did with one entry; hashes are null where it was or is not there. */
export interface EntryChange {
  readonly key: string;
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What migrations did, as far as it says whether something may go. */
export interface MadeByMigrations {
  /** All entries that they made, changed or removed, by key. */
  readonly changes: ReadonlyMap<string, EntryChange>;
  /** Of the keys that go and that they did not change, those that were there before the first of them. */
  readonly standing: ReadonlySet<string>;
  /** Columns of the tables that lose some: those of before the first, and those that were left by them. */
  readonly columns: ReadonlyMap<string, { readonly before: readonly string[]; readonly after: readonly string[] }>;
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

/** Keys of the entries of which it matters who made them. */
export function keysThatGo({ objects, columns, remade }: Destroyed): string[] {
  const gone = objects.filter((each) => each.change === "destroyed").map((each) => each.key);
  return [...new Set([...gone, ...remade, ...columns.map((each) => each.tableKey)])];
}

/** Only what the migrations made may go; everything else is an overreach. */
export function findOverreach(
  destroyed: Destroyed,
  made: MadeByMigrations,
  madeAnew: MadeAnew = () => false,
): Omit<Overreach, "madeBy">[] {
  const gone = new Set(destroyed.objects.filter((each) => each.change === "destroyed").map((each) => each.key));
  const result: Omit<Overreach, "madeBy">[] = [];
  for (const object of destroyed.objects) {
    const remade = destroyed.remade.includes(object.key);
    if (object.change !== "destroyed" && !remade) continue;
    const { key } = object;
    const withOwner = (destroyed.dependencies.get(key) ?? []).some(
      (owner) => gone.has(owner.key) && isPartOf(object, owner.name),
    );
    const why = withOwner ? null : whyNotTheirs(object, made, madeAnew);
    if (why !== null) result.push({ key, what: entryWords(object), why });
  }
  return [...result, ...columnOverreach(destroyed, made, madeAnew)];
}

function whyNotTheirs(object: EffectObject, made: MadeByMigrations, madeAnew: MadeAnew): string | null {
  const change = made.changes.get(object.key);
  const before = change === undefined ? made.standing.has(object.key) : change.before !== null;
  const after = change === undefined ? before : change.after !== null;
  const anew = object.kind === "TABLE" && after && madeAnew(object.schema, object.name);
  if (before && !anew) return "it was there before the migration";
  return after ? null : cameAfter;
}

/** A foreign key or trigger also depends on things that are not its table; its name begins with its table's. */
function isPartOf(object: EffectObject, owner: string): boolean {
  if (!parts.has(object.kind)) return false;
  return !namedAfterTable.has(object.kind) || object.name.startsWith(`${owner} `);
}

function columnOverreach(
  destroyed: Destroyed,
  made: MadeByMigrations,
  madeAnew: MadeAnew,
): Omit<Overreach, "madeBy">[] {
  return destroyed.columns.flatMap(({ tableKey, schema, name, columns }) => {
    const { before, after } = made.columns.get(tableKey) ?? { before: [], after: [] };
    return columns.flatMap((column) => {
      const what = `column ${column} of ${schema}.${name}`;
      const anew = after.includes(column) && madeAnew(schema, name, column);
      if (before.includes(column) && !anew) return [{ key: tableKey, what, why: "it was there before the migration" }];
      if (!after.includes(column)) return [{ key: tableKey, what, why: cameAfter }];
      return [];
    });
  });
}

/** Whether the migrations only added: nothing that was there before went or changed, but tables that gained something. */
export function isAdditive({ changes }: Pick<MadeByMigrations, "changes">): boolean {
  const growing = new Set(["TABLE", "TABLE DATA", "ACL", "COMMENT"]);
  return [...changes.values()].every(
    ({ before, after, kind }) => before === null || before === after || (after !== null && growing.has(kind)),
  );
}

/** Tables that the migrations themselves removed: rollback SQL can bring them back only without their rows. */
export function removedTables({ changes }: Pick<MadeByMigrations, "changes">): string[] {
  return [...changes.values()]
    .filter(({ kind, before, after }) => kind === "TABLE" && before !== null && after === null)
    .map(({ key }) => key);
}
