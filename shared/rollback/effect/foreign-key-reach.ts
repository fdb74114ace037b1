import { addressKey, type CatalogForeignKey, classOid } from "./dependency-graph.ts";
import type { LockMode } from "./lock-modes.ts";
import { descendants, relatives } from "./resolve.ts";
import { isGone, lockForRows, relationByOid, type SimulatedObject, type Simulation } from "./simulation.ts";

/** Tables whose rows a DELETE takes along by ON DELETE CASCADE, or changes by SET NULL and SET DEFAULT. */
export function reachByDelete(simulation: Simulation, parent: SimulatedObject): void {
  for (const key of keysTo(simulation, parent)) {
    const words = actionWords[key.onDelete];
    if (words === undefined) continue;
    const child = reached(simulation, key, "ROW EXCLUSIVE", `${words} by foreign key ${key.name}, ON DELETE`);
    if (child === null) continue;
    if (key.onDelete === "c") reachByDelete(simulation, child);
    else reachByUpdate(simulation, child, key.columns);
  }
}

/** Tables that ON UPDATE reaches when these columns change. */
export function reachByUpdate(simulation: Simulation, parent: SimulatedObject, columns: readonly number[]): void {
  for (const key of keysTo(simulation, parent)) {
    if (actionWords[key.onUpdate] === undefined || !key.references.some((number) => columns.includes(number))) continue;
    const child = reached(simulation, key, "ROW EXCLUSIVE", `rows changed by foreign key ${key.name}, ON UPDATE`);
    if (child !== null) reachByUpdate(simulation, child, key.columns);
  }
}

/** Tables that TRUNCATE ... CASCADE empties too, with their partitions and child tables. */
export function reachByTruncate(simulation: Simulation, parent: SimulatedObject): SimulatedObject[] {
  return keysTo(simulation, parent).flatMap((key) => {
    const child = reached(simulation, key, "ACCESS EXCLUSIVE", `emptied by TRUNCATE CASCADE over ${key.name}`);
    return child === null ? [] : [child, ...relatives(simulation, child), ...reachByTruncate(simulation, child)];
  });
}

const actionWords: Readonly<Record<string, string>> = { c: "rows deleted", n: "rows changed", d: "rows changed" };

function keysTo(simulation: Simulation, parent: SimulatedObject): CatalogForeignKey[] {
  return simulation.graph.foreignKeys.filter(
    (key) => key.parent === parent.objid && !simulation.gone.has(addressKey(classOid.constraint, key.oid)),
  );
}

/** The child, locked with its partitions; null when this was noted before, so that circles of keys end. */
function reached(
  simulation: Simulation,
  key: CatalogForeignKey,
  mode: LockMode,
  because: string,
): SimulatedObject | null {
  const child = relationByOid(simulation, key.child);
  if (child === undefined || isGone(simulation, child)) return null;
  if (simulation.locks.get(child.objid)?.reasons.includes(because)) return null;
  for (const oid of [child.objid, ...descendants(simulation, child.objid)]) lockForRows(simulation, oid, mode, because);
  return child;
}
