import type { Catalog } from "../../catalog/types.ts";
import type { EffectObject } from "../types.ts";
import { type AddressKey, addressKey, classOid } from "./dependency-graph.ts";
import { effectObjects } from "./objects.ts";
import type { Simulation } from "./simulation.ts";

/** Which unit of a set destroys, changes or makes what. */
export interface TakenBy {
  /** By entry key. */
  readonly objects: ReadonlyMap<string, number>;
  /** By address, columns too. */
  readonly gone: ReadonlyMap<AddressKey, number>;
}

/** Looks on while units are replayed; a single unit costs nothing. */
export function takenWatch(simulation: Simulation, catalog: Catalog) {
  const seen: { readonly unit: number; readonly changes: ReadonlyMap<string, EffectObject["change"]> }[] = [];
  const gone = new Map<AddressKey, number>();
  const noteGone = (unit: number) => {
    for (const key of simulation.gone.keys()) if (!gone.has(key)) gone.set(key, unit);
  };
  return {
    endOfUnit(unit: number): void {
      noteGone(unit);
      const changes = effectObjects(simulation, catalog).map(({ key, change }) => [key, change] as const);
      seen.push({ unit, changes: new Map(changes) });
    },
    /** An object is the work of the first unit after which it is as it ends. */
    settle(objects: readonly EffectObject[], last: number): TakenBy {
      noteGone(last);
      const first = ({ key, change }: EffectObject) =>
        seen.find(({ changes }) => changes.get(key) === change)?.unit ?? last;
      return { objects: new Map(objects.map((each) => [each.key, first(each)])), gone };
    },
  };
}

/** The unit that takes a table; else the last, oldest one that takes columns of it. */
export function takerOf({ gone }: TakenBy, oid: number): number {
  const whole = gone.get(addressKey(classOid.relation, oid));
  if (whole !== undefined) return whole;
  const prefix = `${classOid.relation}/${oid}/`;
  return Math.max(0, ...[...gone].flatMap(([address, unit]) => (address.startsWith(prefix) ? [unit] : [])));
}
