import type { Catalog } from "../../catalog/types.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import { addressKey, classOid } from "../effect/dependency-graph.ts";
import { wholeOf } from "../effect/drop-closure.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import type { Dependent } from "./ledger-facts.ts";
import { cameAfter, type Overreach } from "./provenance.ts";

/** Something that stands on what the SQL drops without CASCADE. */
export interface Obstacle {
  /** Line of the rollback SQL that fails because of it. */
  readonly line: number;
  /** Index of its unit in the set. */
  readonly unit?: number;
  readonly what: string;
  /** Key of the entry that it is, or is a part of; null when it has none. */
  readonly key: string | null;
}

/** The migration that made an entry, with its version. */
export interface Maker {
  readonly migration: string;
  readonly version: string;
}

/** What stands in the way, entry by entry of the catalog. */
export function findObstacles(effect: ResolvedEffect, catalog: Catalog, graph: DependencyGraph): Obstacle[] {
  const entries = new Map(catalog.entries.map((entry) => [wholeOf(addressOf(entry.address)), entry.key]));
  const owners = new Map(
    graph.objects.flatMap((each) =>
      each.relid === null
        ? []
        : [[addressKey(each.classid, each.objid), addressKey(classOid.relation, each.relid)] as const],
    ),
  );
  const keyOf = (address: string) =>
    entries.get(wholeOf(address)) ?? entries.get(owners.get(wholeOf(address)) ?? "") ?? null;
  return effect.failures.flatMap(({ line, unit, inTheWay = [] }) =>
    inTheWay.map(({ address, name }) => ({ line, unit, what: name, key: keyOf(address) })),
  );
}

function addressOf({ classid, objid, objsubid }: Catalog["entries"][number]["address"]): string {
  return addressKey(classid, objid, objsubid);
}

/**
 * The migrations that made what stands in the way or came later and would go too: they depend on this one, whether or
 * not anyone declared it. Newest first, with those that the ledger names.
 */
export function withFoundDependents(
  known: readonly Dependent[],
  obstacles: readonly Obstacle[],
  overreach: readonly Overreach[],
  makers: ReadonlyMap<string, Maker>,
  together: readonly string[],
): Dependent[] {
  const found = new Map(known.map((each) => [each.migration, each]));
  const add = (key: string | null, why: string) => {
    const maker = makers.get(key ?? "");
    if (maker === undefined || together.includes(maker.migration) || found.has(maker.migration)) return;
    found.set(maker.migration, { ...maker, found: "catalog", why });
  };
  for (const { key, what } of obstacles) add(key, `${what}, which it made, stands on what goes`);
  for (const { key, what, why } of overreach) if (why === cameAfter) add(key, `${what}, which it made, would go too`);
  return [...found.values()].sort((a, b) => compare(b.version, a.version) || compare(b.migration, a.migration));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
