import { entryKey } from "../../catalog/entry.ts";
import { qualified } from "../../catalog/identifiers.ts";
import type { CatalogDifference, Entry, UnknownObject } from "../../catalog/types.ts";
import type { Account, RelationAccount } from "./account.ts";
import { hangsOn } from "./hangers.ts";
import type { Coverage, Violation } from "./types.ts";

/** Kinds that change what an object that was there does, or who may use it, without changing its own entry. */
const strings = new Set(["TRIGGER", "RULE", "POLICY", "ACL", "DEFAULT ACL", "EVENT TRIGGER"]);

/** Entries that went, changed, or were hung on others without the plan saying so, or without their text in the archive. */
export function unplannedEntries(difference: CatalogDifference, coverage: Coverage): Violation[] {
  const gone = [...difference.removed, ...difference.changed.map((change) => change.before)];
  return [
    ...gone.filter((entry) => !isCovered(entry, coverage)).map((entry) => violation(entry, coverage)),
    ...unplannedStrings(difference, coverage),
  ];
}

function isCovered(entry: Entry, coverage: Coverage): boolean {
  const named = coverage.planned.has(entry.key) || hangsOn(entry, coverage.planned);
  return named && coverage.entries.has(entry.key);
}

function violation(entry: Entry, coverage: Coverage): Violation {
  const planned = coverage.planned.has(entry.key);
  const what = planned ? "not in the archive" : "dropped or changed, and the plan does not name it";
  return { ...uncurable(entry.key, what), key: entry.key };
}

function unplannedStrings({ added }: CatalogDifference, { made, planned }: Coverage): Violation[] {
  if (made === undefined) return [];
  const fresh = new Set([...added.map(({ key }) => key), ...made]);
  return added
    .filter((entry) => strings.has(entry.kind) && !made.has(entry.key) && !planned.has(entry.key))
    .filter((entry) => entry.dependencies.length === 0 || !hangsOn(entry, fresh))
    .map((entry) => uncurable(entry.key, "made, and the plan does not name it"));
}

/** Objects of kinds that no archive can hold and that are no longer there. */
export function lostUnknown(before: readonly UnknownObject[], after: readonly UnknownObject[]): Violation[] {
  const left = new Set(after.map(({ kind, identity }) => `${kind} ${identity}`));
  return before
    .map(({ kind, identity }) => `${kind} ${identity}`)
    .filter((name) => !left.has(name))
    .map((name) => uncurable(name, "dropped, and no archive can hold it"));
}

const kinds: Readonly<Record<string, string>> = {
  r: "TABLE",
  p: "TABLE",
  v: "VIEW",
  m: "MATERIALIZED VIEW",
  S: "SEQUENCE",
  f: "FOREIGN TABLE",
};

/** Relations that live on under another name without the plan saying so: another one may stand in their place. */
export function renamedRelations(before: Account, after: Account, coverage: Coverage): Violation[] {
  return [...before.relations.values()].flatMap((was) => {
    const is = after.relations.get(was.oid);
    if (is === undefined || (is.name === was.name && is.schema === was.schema) || isPlanned(was, coverage)) return [];
    const what = `renamed to ${qualified(is.schema, is.name)}, and the plan does not name it`;
    return [{ ...uncurable(qualified(was.schema, was.name), what), key: keyOf(was) }];
  });
}

function isPlanned(relation: RelationAccount, { planned }: Coverage): boolean {
  const { schema } = relation;
  return (
    planned.has(keyOf(relation)) || planned.has(entryKey({ kind: "SCHEMA", schema: null, name: schema, owner: null }))
  );
}

/** The relation's entry in the catalog. */
export function keyOf({ kind, schema, name }: RelationAccount): string {
  return entryKey({ kind: kinds[kind] ?? kind, schema, name, owner: null });
}

function uncurable(subject: string, what: string): Violation {
  return { subject, oid: null, what, curable: false };
}
