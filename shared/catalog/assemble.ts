import { resolveDependencies } from "./dependencies.ts";
import type { Edge } from "./edges.ts";
import { entryHash, keyedEntries } from "./entry.ts";
import type { RawEntry } from "./kind.ts";
import { catalog } from "./kinds/raw-entry.ts";
import { catalogOid } from "./kinds/relations.ts";
import { postponed } from "./postpone.ts";
import { viaShellTypes } from "./shell-types.ts";
import type { Address, Entry, UnknownObject } from "./types.ts";

type Whole = Pick<Address, "classid" | "objid">;

/** An entry with the objects of the database that it comes from. */
export interface PlacedEntry {
  readonly entry: Entry;
  /** The object it is the entry of, or hangs on. */
  readonly object: Whole;
  /** The object that it is a part of: a default's table. The same as `object` for most. */
  readonly owner: Whole;
}

/** Settles keys, dependencies, sections and hashes; in no order. `wanted`: which objects' entries are answered. */
export function assembleEntries(
  raw: readonly RawEntry[],
  unknown: readonly Omit<UnknownObject, "neededBy">[],
  edges: readonly Edge[],
  wanted: (object: Whole) => boolean = () => true,
): { entries: PlacedEntry[]; unknown: UnknownObject[] } {
  const keyed = keyedEntries(raw);
  const { dependencies, neededBy } = resolveDependencies(keyed, edges, unknown);
  const places = new Map(keyed.map((one) => [one.key, one.raw]));
  const all = keyed.map(({ key, raw: entry }): Entry => {
    const { dependsOn: _, usesCatalogDependencies: __, ...fields } = entry;
    return { ...fields, key, dependencies: dependencies.get(key) ?? [], hash: "" };
  });
  const entries = postponed(viaShellTypes(all)).flatMap((entry) => {
    const source = places.get(entry.key)!;
    const object = objectOf(source);
    return wanted(object) ? [{ entry: { ...entry, hash: entryHash(entry) }, object, owner: ownerOf(source) }] : [];
  });
  const answered = new Set(entries.map(({ entry }) => entry.key));
  return {
    entries,
    unknown: unknown.map((object, index) => ({
      ...object,
      neededBy: (neededBy[index] ?? []).filter((key) => answered.has(key)),
    })),
  };
}

function objectOf({ address, dependsOn }: RawEntry): Whole {
  if (address.classid === catalogOid.inherits) return { classid: catalog.class, objid: address.objid };
  return address.classid === 0 ? dependsOn[0]! : address;
}

const parts: ReadonlySet<number> = new Set([catalogOid.attrdef, catalogOid.rewrite]);

function ownerOf(raw: RawEntry): Whole {
  const object = objectOf(raw);
  return parts.has(object.classid) && raw.section !== "none" ? (raw.dependsOn[0] ?? object) : object;
}
