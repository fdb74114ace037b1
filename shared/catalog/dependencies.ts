import { type Edge, edgesFrom } from "./edges.ts";
import { addressKey, byText } from "./entry.ts";
import { quoteIdent } from "./identifiers.ts";
import type { RawEntry } from "./kind.ts";
import type { Address, UnknownObject } from "./types.ts";

/** Begins what stands for an unknown object among keys, behind it its place in the list: no kind begins so. */
const unknownMark = "?";

interface Keyed {
  readonly key: string;
  readonly raw: RawEntry;
}

/** pg_depend's internal, auto and partition dependencies: the dependent lives and dies with what it depends on. */
const partOf = new Set(["i", "a", "P"]);

/**
 * Finds for each entry the keys of the entries that must exist first: from pg_depend and from what its reader named.
 * An object without an entry of its own (a row type, an index behind a constraint, a view's rule) counts as part of
 * the entry that it belongs to; one of an extension counts as the extension. `neededBy` tells the same of each unknown
 * object.
 */
export function resolveDependencies(
  keyed: readonly Keyed[],
  rows: readonly Edge[],
  unknown: readonly Pick<UnknownObject, "address">[] = [],
): { dependencies: ReadonlyMap<string, readonly string[]>; neededBy: readonly (readonly string[])[] } {
  const graph = new CatalogGraph(keyed, rows, unknown);
  const tableGrants = grantsOnWhole(keyed);
  const schemaGrants = grantsOnSchemas(keyed);
  const dependencies = new Map<string, readonly string[]>();
  const neededBy = unknown.map((): string[] => []);
  for (const { key, raw } of keyed) {
    const found = new Set<string>();
    for (const address of raw.dependsOn) graph.addTargets(whole(address), found);
    if (raw.usesCatalogDependencies !== false)
      for (const target of graph.needs(key, raw)) graph.addTargets(target, found);
    if (raw.kind === "ACL" && raw.address.objsubid !== 0) addKnown(found, tableGrants.get(whole(raw.address)));
    if (raw.kind === "ACL" && raw.schema !== null && raw.create.includes("SET SESSION AUTHORIZATION "))
      addKnown(found, schemaGrants.get(`SCHEMA ${quoteIdent(raw.schema)}`));
    found.delete(key);
    for (const target of found) if (target.startsWith(unknownMark)) neededBy[Number(target.slice(1))]!.push(key);
    dependencies.set(key, [...found].filter((target) => !target.startsWith(unknownMark)).sort(byText));
  }
  return { dependencies, neededBy: neededBy.map((keys) => keys.sort(byText)) };
}

/** A table's REVOKE ALL takes its columns' grants too, so those come after it; a restore in parallel needs to be told. */
function grantsOnWhole(keyed: readonly Keyed[]): ReadonlyMap<string, string> {
  const grants = keyed.filter(({ raw }) => raw.kind === "ACL" && raw.address.objsubid === 0);
  return new Map(grants.map(({ key, raw }) => [whole(raw.address), key]));
}

/** A grant that another role than the owner made needs that role's access to the schema; a restore in parallel needs to be told. */
function grantsOnSchemas(keyed: readonly Keyed[]): ReadonlyMap<string, string> {
  const grants = keyed.filter(({ raw }) => raw.kind === "ACL" && raw.schema === null);
  return new Map(grants.map(({ key, raw }) => [raw.name, key]));
}

function addKnown(found: Set<string>, key: string | undefined): void {
  if (key !== undefined) found.add(key);
}

class CatalogGraph {
  readonly #keyOf = new Map<string, string>();
  readonly #outgoing: ReadonlyMap<string, readonly Edge[]>;
  /** Objects without an entry, by the address of the object they are part of. */
  readonly #parts = new Map<string, string[]>();

  constructor(keyed: readonly Keyed[], rows: readonly Edge[], unknown: readonly Pick<UnknownObject, "address">[]) {
    for (const { key, raw } of keyed) {
      const address = whole(raw.address);
      if (raw.usesCatalogDependencies !== false && raw.address.objsubid === 0 && !this.#keyOf.has(address))
        this.#keyOf.set(address, key);
    }
    unknown.forEach((object, index) => {
      const address = whole(object.address);
      if (!this.#keyOf.has(address)) this.#keyOf.set(address, `${unknownMark}${index}`);
    });
    // The index behind a constraint is the constraint's, though expressions in it hang on the table; a partition's
    // clone of a key or trigger is its parent's business. Neither is part of the table.
    this.#outgoing = edgesFrom(rows);
    const owned = new Set(rows.filter((row) => row.type === "i" || row.type === "P").map((row) => row.from));
    for (const row of rows) {
      const isPart = row.type === "i" || (row.type === "a" && !owned.has(row.from));
      if (isPart && !this.#keyOf.has(row.from)) push(this.#parts, row.to, row.from);
    }
  }

  /** Addresses that the entry's object, and the parts without an entry of their own, depend on. */
  needs(key: string, raw: RawEntry): string[] {
    const start = whole(raw.address);
    const isPrimary = this.#keyOf.get(start) === key;
    const members = [start];
    for (let index = 0; isPrimary && index < members.length; index++)
      for (const part of this.#parts.get(members[index]!) ?? []) if (!members.includes(part)) members.push(part);
    const needs = members.flatMap((member) => (this.#outgoing.get(member) ?? []).map((row) => row.to));
    return isPrimary ? needs : [start, ...needs];
  }

  /** What an object is part of. A partition's index behind its own constraint belongs to that, not to the parent's index. */
  #owners(address: string): readonly Edge[] {
    const rows = (this.#outgoing.get(address) ?? []).filter((row) => partOf.has(row.type));
    const internal = rows.filter((row) => row.type === "i");
    return internal.length > 0 ? internal : rows;
  }

  /** Adds the keys that an address stands for. */
  addTargets(address: string, found: Set<string>): void {
    const key = this.#keyOf.get(address);
    if (key !== undefined) found.add(key);
    else this.#addOwners(address, found, new Set());
  }

  #addOwners(address: string, found: Set<string>, seen: Set<string>): void {
    if (seen.has(address)) return;
    seen.add(address);
    const key = this.#keyOf.get(address);
    if (key !== undefined) {
      found.add(key);
      return;
    }
    const rows = this.#outgoing.get(address) ?? [];
    const extension = rows.filter((row) => row.type === "e");
    const owners = this.#owners(address);
    for (const row of extension.length > 0 ? extension : owners.length > 0 ? owners : rows)
      this.#addOwners(row.to, found, seen);
  }
}

function whole(address: Address): string {
  return addressKey({ ...address, objsubid: 0 });
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
