import type { Catalog } from "../../catalog/types.ts";
import { type AddressKey, classOid, type DependencyGraph, type NamedObject } from "../effect/dependency-graph.ts";
import { describe } from "../effect/describe.ts";
import { wholeOf } from "../effect/drop-closure.ts";
import type { EffectObject } from "../types.ts";
import type { Dropping, DropSite, Named } from "./drop-sites.ts";
import { dropWords } from "./drop-words.ts";
import type { PreserveFacts } from "./facts.ts";
import {
  goesForGood,
  isKeyOfPartition,
  isReturnRule,
  type Moving,
  movesAlong,
  needsOf,
  partsOf,
  tablesOf,
  typesOf,
} from "./parts.ts";

/** What can be moved, and why the rest is archived instead. */
export interface Choice extends Moving {
  readonly notes: readonly string[];
}

interface Candidate {
  readonly object: Named;
  readonly site: DropSite;
  readonly isType: boolean;
}

/** Parts of a table that are made again by undo as fast as they are dropped: they do not keep it from being moved. */
const detachable = new Set(["trigger", "policy", "rule"]);

/** Decides which of the dropped tables and types are moved: what cannot be, takes others with it, until nothing changes. */
export function chooseMoving(
  dropping: Dropping,
  graph: DependencyGraph,
  facts: PreserveFacts,
  catalog: Catalog,
  objects: readonly EffectObject[],
): Choice {
  const candidates = dropping.sites.flatMap((site) => [
    ...tablesOf(site).map((object) => ({ object, site, isType: false })),
    ...typesOf(site).map((object) => ({ object, site, isType: true })),
  ]);
  const reasons = new Map<Candidate, string>();
  const rest = { dropping, graph, facts, catalog };
  for (const each of candidates) {
    const why = whyNotAtAll(each, candidates, dropping, facts, objects);
    if (why !== null) reasons.set(each, why);
  }
  for (let found = true; found; ) {
    found = false;
    const moving = movingOf(candidates, reasons);
    for (const each of candidates) {
      if (reasons.has(each)) continue;
      const why = whyNotWithRest(each, moving, rest);
      if (why === null) continue;
      reasons.set(each, why);
      found = true;
    }
  }
  const notes = [...reasons].map(([{ object, isType }, why]) => {
    const name = `${isType ? "type" : "table"} ${object.schema}.${object.name}`;
    return `${name} is archived instead: ${why}`;
  });
  return { ...movingOf(candidates, reasons), notes: [...new Set(notes)] };
}

function movingOf(candidates: readonly Candidate[], reasons: ReadonlyMap<Candidate, string>): Moving {
  const left = candidates.filter((each) => !reasons.has(each));
  return {
    tables: new Set(left.filter(({ isType }) => !isType).map(({ object }) => object.objid)),
    types: new Set(left.filter(({ isType }) => isType).map(({ object }) => object.objid)),
  };
}

/** Reasons that do not hang on what else is moved. */
function whyNotAtAll(
  { object, isType, site }: Candidate,
  all: readonly Candidate[],
  dropping: Dropping,
  facts: PreserveFacts,
  objects: readonly EffectObject[],
): string | null {
  const kinds = isType ? ["TYPE", "DOMAIN"] : ["TABLE"];
  if (dropping.changesRole) return "the rollback SQL runs statements as another role";
  if (!facts.mayCreateSchema) return "this role may not create a schema in the database";
  if (!facts.ours.has(object.objid)) return "its owner is another role";
  if (isType && !"edc".includes(object.sub)) return "only enums, domains and composite types can be moved";
  if (object.sub === "f") return "it is a foreign table";
  if (object.schema?.startsWith("pg_temp")) return "it is temporary";
  if (!isType && dropping.altered.has(object.objid)) return "the rollback SQL changes its rows or columns first";
  const original = dropping.simulation.graph.objects.find(
    (each) => each.objid === object.objid && each.family === object.family,
  );
  const again = objects.some(
    ({ kind, schema, name, change }) =>
      kinds.includes(kind) && change !== "destroyed" && schema === original?.schema && name === original?.name,
  );
  if (again || takesPlace(original, dropping)) return "the rollback SQL makes another one of that name";
  const twin = all.find((each) => each.site !== site && isTwin(each.object, object));
  if (twin !== undefined) return "the rollback SQL drops another one of that name";
  const own = facts.publications.filter(({ table }) => table === object.objid);
  const foreign = own.find(({ ours }) => !ours);
  if (foreign !== undefined) return `another role owns publication ${foreign.publication}, which holds it`;
  if (own.length > 0 && dropping.altersPublications) return "the rollback SQL changes publications itself";
  return null;
}

/** Whether another one has its name in the end, made or renamed. */
function takesPlace(original: NamedObject | undefined, { gone, simulation }: Dropping): boolean {
  if (original === undefined) return false;
  const { family, objid, schema, name } = original;
  return [...simulation.byAddress].some(
    ([key, one]) =>
      one.family === family && one.objid !== objid && one.schema === schema && one.name === name && !gone.has(key),
  );
}

function isTwin(one: Named, other: Named): boolean {
  return one.objid !== other.objid && one.schema === other.schema && one.name === other.name;
}

interface Rest {
  readonly dropping: Dropping;
  readonly graph: DependencyGraph;
  readonly facts: PreserveFacts;
  readonly catalog: Catalog;
}

/** Reasons that hang on what else is moved, and what goes for good. */
function whyNotWithRest(candidate: Candidate, moving: Moving, rest: Rest): string | null {
  const { object, isType, site } = candidate;
  const { dropping, graph, facts } = rest;
  const forGood = (key: AddressKey) => goesForGood(wholeOf(key), dropping, moving, graph);
  const relation = (oid: number) => `${classOid.relation}/${oid}/0`;
  const relative = facts.parents.some(
    ({ child, parent }) =>
      !isType &&
      ((child === object.objid && forGood(relation(parent))) || (parent === object.objid && forGood(relation(child)))),
  );
  if (relative) return "a parent or child of it cannot be moved";
  const above = isType ? [] : facts.parents.filter(({ child }) => child === object.objid);
  const staying = above.filter(({ parent }) => !moving.tables.has(parent));
  if (staying.some(({ partition, inherits }) => !partition && (inherits || above.length > 1)))
    return "it inherits from a table that stays, and could not come back under it as it was";
  return (
    whyNeeded(candidate, forGood, rest) ?? columnLost(candidate, moving, dropping) ?? hangsUnnamed(site, moving, rest)
  );
}

/** What a part of it needs, and goes for good. */
function whyNeeded(
  { object, site }: Candidate,
  forGood: (key: AddressKey) => boolean,
  { dropping, graph }: Rest,
): string | null {
  const { simulation } = dropping;
  for (const key of partsOf(site, object)) {
    const part = site.names.get(wholeOf(key));
    if (part === undefined || detachable.has(part.family) || (part.family === "constraint" && part.sub === "f"))
      continue;
    if (part.family === "default" && !isGenerated(part, simulation)) continue;
    const lost = needsOf(graph, key).find(
      ({ to }) => !to.startsWith(`${classOid.schema}/`) && wholeOf(to) !== wholeOf(key) && forGood(to),
    );
    if (lost !== undefined) return `${describe(simulation, wholeOf(lost.to))}, which it needs, goes`;
  }
  return null;
}

function columnLost({ object, site, isType }: Candidate, moving: Moving, dropping: Dropping): string | null {
  for (const key of site.before) {
    if (isType || key === wholeOf(key) || wholeOf(key) !== `${classOid.relation}/${object.objid}/0`) continue;
    if (!typeStays(key, dropping, moving)) return "the rollback SQL drops a column of it first";
  }
  return null;
}

/** What CASCADE takes besides, and no statement of its own could. */
function hangsUnnamed(site: DropSite, moving: Moving, { dropping, graph, catalog }: Rest): string | null {
  for (const [key, reason] of site.closure) {
    if (reason !== "cascade" || movesAlong(key, site, moving, graph)) continue;
    if (isReturnRule(site.names.get(wholeOf(key))) || isKeyOfPartition(key, site, graph)) continue;
    if (dropWords(key, site, catalog) === null)
      return `${describe(dropping.simulation, key)} hangs on it, which Belay cannot drop by itself`;
  }
  return null;
}

/** Whether a column that a DROP TYPE ... CASCADE took stays after all, because its type is moved. */
function typeStays(column: AddressKey, { sites }: Dropping, { types }: Moving): boolean {
  const site = sites.find((each) => each.closure.has(column));
  return site !== undefined && typesOf(site).every(({ objid }) => types.has(objid));
}

function isGenerated({ relid, name }: Named, simulation: Dropping["simulation"]): boolean {
  const column = simulation.graph.columns.find((each) => each.relid === relid && String(each.number) === name);
  return column !== undefined && column.generated !== "";
}
