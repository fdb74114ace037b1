import type { AlterCommand } from "./alter-command.ts";
import { wholeOf } from "./drop-closure.ts";
import { change, keyOf, type SimulatedObject, type Simulation } from "./simulation.ts";

/** Attributes of a composite type: with values of it stored, what goes with an attribute is in no column of its own. */
export function alterAttributes(simulation: Simulation, { relation, command, at }: AlterCommand): void {
  const type = typeOf(simulation, relation);
  if (type === undefined) return;
  change(simulation, type, "altered");
  const table = storedIn(simulation, type);
  if (table === null) return;
  const name = (command.name as string | undefined) ?? "an attribute";
  const why = `${table.schema}.${table.name} stores values of type ${relation.schema}.${relation.name}: undo could not put attribute ${name} back as it is`;
  simulation.unsupported.push({ ...at, why });
}

/** A composite type is a type and a relation, which depends on it; undefined for other relations. */
export function typeOf(simulation: Simulation, relation: SimulatedObject): SimulatedObject | undefined {
  if (relation.sub !== "c") return undefined;
  return simulation.byFamily.get("type")?.find(({ relid }) => relid === relation.objid);
}

/** A table that holds values of the type, be it in arrays, domains or other types. */
function storedIn(simulation: Simulation, type: SimulatedObject): SimulatedObject | null {
  const seen = new Set([type]);
  for (const each of seen)
    for (const { from } of simulation.index.dependents.get(keyOf(each)) ?? []) {
      const user = simulation.byAddress.get(wholeOf(from));
      if (user?.family === "relation" && "rpmf".includes(user.sub)) return user;
      const holder = user?.family === "relation" && user.sub === "c" ? typeOf(simulation, user) : user;
      if (holder?.family === "type") seen.add(holder);
    }
  return null;
}
