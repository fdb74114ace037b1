import {
  type AddressKey,
  addressKey,
  classOid,
  type Dependency,
  type DependencyGraph,
} from "../effect/dependency-graph.ts";
import { wholeOf } from "../effect/drop-closure.ts";
import type { Dropping, DropSite, Named } from "./drop-sites.ts";

/** Oids of tables and types that are moved instead of dropped. */
export interface Moving {
  readonly tables: ReadonlySet<number>;
  readonly types: ReadonlySet<number>;
}

/** Catalogs of what belongs to a publication: it goes silently with the table. */
const ofPublication = new Set(["6106", "6237"]);

/** Whether what a DROP takes moves along with a table or type: SET SCHEMA takes it along, or it has no schema of its own. */
export function movesAlong(key: AddressKey, site: DropSite, moving: Moving, graph: DependencyGraph): boolean {
  const { tables, types } = moving;
  const object = site.names.get(wholeOf(key));
  if (object === undefined) return ofPublication.has(key.split("/")[0]!);
  const { family, sub, objid, relid, other, args } = object;
  if (family === "relation") {
    if ("iI".includes(sub)) return tables.has(other);
    if (sub === "S") return ownerOf(key, graph, tables) !== null;
    if (sub === "c") return [...types].some((oid) => rowTypeOf(oid, site) === objid);
    return tables.has(objid);
  }
  if (family === "type")
    return (
      types.has(objid) || (relid !== null && tables.has(relid)) || args.some((oid) => isOfMoving(oid, site, moving))
    );
  if (family === "constraint" && sub === "f") return relid !== null && tables.has(relid) && tables.has(other);
  if (family === "trigger" && sub === "i") return true;
  if (family === "constraint" && relid !== null && types.has(relid)) return true;
  const parts = ["constraint", "trigger", "policy", "rule", "default", "statistics"];
  return parts.includes(family) && relid !== null && tables.has(relid);
}

/** The moving table whose column owns a sequence. */
export function ownerOf(sequence: AddressKey, graph: DependencyGraph, tables: ReadonlySet<number>): number | null {
  const owner = needsOf(graph, sequence).find(
    ({ to, type }) => (type === "a" || type === "i") && to.startsWith(`${classOid.relation}/`) && isColumn(to),
  );
  const oid = owner === undefined ? Number.NaN : Number(owner.to.split("/")[1]);
  return tables.has(oid) ? oid : null;
}

const indexed = new WeakMap<DependencyGraph, Map<AddressKey, Dependency[]>>();

/** What an object needs before any statement ran. */
export function needsOf(graph: DependencyGraph, key: AddressKey): readonly Dependency[] {
  let needs = indexed.get(graph);
  if (needs === undefined) {
    needs = Map.groupBy(graph.dependencies, ({ from }) => from);
    indexed.set(graph, needs);
  }
  return needs.get(key) ?? [];
}

const owned = new WeakMap<DropSite, Map<string, AddressKey[]>>();

/** What a DROP takes of one table or type: itself, its columns, indexes, constraints, defaults... */
export function partsOf(site: DropSite, { objid, family, relid }: Named): readonly AddressKey[] {
  let parts = owned.get(site);
  if (parts === undefined) {
    parts = new Map();
    for (const key of site.closure.keys())
      for (const owner of ownersOf(site, key)) parts.set(owner, [...(parts.get(owner) ?? []), key]);
    owned.set(site, parts);
  }
  // The attributes of a composite type are those of its relation.
  const attributes = family === "type" && relid !== null ? (parts.get(`relation/${relid}`) ?? []) : [];
  return [...(parts.get(`${family}/${objid}`) ?? []), ...attributes];
}

function ownersOf({ names }: DropSite, key: AddressKey): string[] {
  const object = names.get(wholeOf(key));
  if (object === undefined) return [];
  const { family, sub, objid, relid, other } = object;
  const itself = `${family}/${objid}`;
  if (family === "relation") return "iI".includes(sub) ? [`relation/${other}`] : [itself];
  // A constraint of a domain has the domain in the same place.
  return relid === null ? [itself] : [itself, `relation/${relid}`, `type/${relid}`];
}

function isColumn(key: AddressKey): boolean {
  return key !== wholeOf(key);
}

/** An array's element: the array moves with it. */
function isOfMoving(oid: number, { names }: DropSite, { tables, types }: Moving): boolean {
  const element = names.get(addressKey(classOid.type, oid));
  return types.has(oid) || (element !== undefined && element.relid !== null && tables.has(element.relid));
}

function rowTypeOf(type: number, { names }: DropSite): number | null {
  return names.get(addressKey(classOid.type, type))?.relid ?? null;
}

/** Tables, partitions and children too, that a DROP takes. */
export function tablesOf(site: DropSite): Named[] {
  if (site.type !== "TABLE") return [];
  return [...site.closure.keys()].flatMap((key) => {
    const object = site.names.get(key);
    return object?.family === "relation" && "rpf".includes(object.sub) && !object.created ? [object] : [];
  });
}

/** Types that a DROP names. */
export function typesOf(site: DropSite): Named[] {
  return site.type === "TABLE" ? [] : site.targets.flatMap((key) => site.names.get(key) ?? []);
}

export function isReturnRule(object: Named | undefined): boolean {
  return object?.family === "rule" && object.name === "_RETURN";
}

/** A foreign key's copy for a partition goes with the key of the whole. */
export function isKeyOfPartition(key: AddressKey, site: DropSite, graph: DependencyGraph): boolean {
  const object = site.names.get(wholeOf(key));
  if (object?.family !== "constraint") return false;
  return needsOf(graph, key).some(
    ({ to, type }) => "iPS".includes(type) && to.startsWith(`${classOid.constraint}/`) && site.closure.has(wholeOf(to)),
  );
}

/** Whether something is gone in the end and was not moved. */
export function goesForGood(
  whole: AddressKey,
  { gone, sites }: Dropping,
  moving: Moving,
  graph: DependencyGraph,
): boolean {
  return gone.has(whole) && !sites.some((site) => site.closure.has(whole) && movesAlong(whole, site, moving, graph));
}
