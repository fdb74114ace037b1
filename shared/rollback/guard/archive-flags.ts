import { qualified } from "../../catalog/identifiers.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { hangingOn, isType } from "./hangers.ts";
import type { Violation } from "./types.ts";

/** Kinds that `--archive` takes. */
const askable = new Set(["TABLE", "SEQUENCE"]);

/**
 * The tables and sequences that would have to be archived on request for all violations to be covered, as `schema.name`;
 * none when that would not do for one of them. `allowed`: whether one can be asked for.
 */
export function archiveFlags(
  violations: readonly Violation[],
  { entries }: Pick<Catalog, "entries">,
  allowed: (entry: Entry) => boolean = () => true,
): string[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const chosen = new Set<string>();
  const keys = [...new Set(violations.map(({ key }) => key))];
  // Tables first, then sequences: what hangs on a table, its own sequence too, needs no other.
  const rank = (key: string | undefined) => ["SEQUENCE", "TABLE"].indexOf(byKey.get(key ?? "")?.kind ?? "");
  for (const key of keys.sort((one, other) => rank(other) - rank(one))) {
    const entry = byKey.get(key ?? "");
    if (entry === undefined) return [];
    if (isType(entry.kind)) {
      for (const holder of holdersOf(entry, entries)) chosen.add(holder);
      continue;
    }
    const owners = ownersOf(entry, byKey).filter(allowed);
    if (owners.length === 0) return [];
    if (!owners.some((owner) => chosen.has(owner.key))) chosen.add(owners[0]!.key);
  }
  const whole = parentsOfMany(chosen, entries);
  const covered = hangingOn(entries, withPartitions(whole, entries));
  if (!keys.every((key) => covered.has(key!))) return [];
  return [...whole].map((key) => qualified(byKey.get(key)!.schema, byKey.get(key)!.name)).sort();
}

/** The tables that hold values of a type, in other types and domains too. */
function holdersOf(type: Entry, entries: readonly Entry[]): string[] {
  const users = entries.filter(({ dependencies }) => dependencies.includes(type.key));
  return users.flatMap((each) =>
    isType(each.kind) ? holdersOf(each, entries) : each.kind === "TABLE" ? [each.key] : [],
  );
}

/** The tables and sequences on which an entry hangs, itself first where it is one. */
function ownersOf(entry: Entry, byKey: ReadonlyMap<string, Entry>): Entry[] {
  const owners: Entry[] = [];
  const seen = new Set<string>();
  const open = [entry];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next.key)) continue;
    seen.add(next.key);
    if (askable.has(next.kind) && hangingOn([...byKey.values()], [next.key]).has(entry.key)) owners.push(next);
    if (next === entry || !askable.has(next.kind))
      open.push(...next.dependencies.flatMap((key) => byKey.get(key) ?? []));
  }
  return owners;
}

/** Several partitions of one table: the table itself. */
function parentsOfMany(keys: ReadonlySet<string>, entries: readonly Entry[]): Set<string> {
  const children = new Map<string, string[]>();
  for (const { parent, child } of attached(entries))
    if (keys.has(child)) children.set(parent, [...(children.get(parent) ?? []), child]);
  const many = new Map([...children].filter(([, own]) => own.length > 1));
  if (many.size === 0) return new Set(keys);
  const dropped = new Set([...many.values()].flat());
  return parentsOfMany(new Set([...[...keys].filter((key) => !dropped.has(key)), ...many.keys()]), entries);
}

function withPartitions(keys: ReadonlySet<string>, entries: readonly Entry[]): string[] {
  const found = new Set(keys);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { parent, child } of attached(entries)) if (found.has(parent)) found.add(child);
  }
  return [...found];
}

/** TABLE ATTACH entries are named for the partition, and depend on both tables. */
function attached(entries: readonly Entry[]): { parent: string; child: string }[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "TABLE ATTACH") return [];
    const tables = entry.dependencies.filter((key) => key.startsWith("TABLE "));
    const child = tables.find((key) => key === `TABLE ${entry.key.slice("TABLE ATTACH ".length)}`);
    return child === undefined ? [] : tables.filter((key) => key !== child).map((parent) => ({ parent, child }));
  });
}
