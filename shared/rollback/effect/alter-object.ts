import { words } from "./describe.ts";
import { drop } from "./destroy.ts";
import { findTarget } from "./drop.ts";
import { findNamed, findOfDomain, findOnRelation, findRangeVar, splitName } from "./resolve.ts";
import { change, keyOf, lock, noteAbsent, type Place, type Simulation } from "./simulation.ts";
import { type Node, rangeName, stringsOf, wordsOf } from "./sql-nodes.ts";

export function alterNamed(simulation: Simulation, objectType: string, item: Node, at: Place): void {
  const found = findTarget(simulation, objectType, item);
  if (found === null)
    simulation.failures.push({ ...at, why: `${words(objectType)} ${stringsOf(item).join(".")} is not there` });
  else if (found === undefined)
    simulation.opaque.push({ ...at, why: `Belay cannot tell what this ${words(objectType)} change does` });
  else change(simulation, found, "altered");
}

/** ALTER of what a list of names says: IF EXISTS may stand there. */
export function alterByName(simulation: Simulation, objectType: string, body: Node, names: unknown, at: Place): void {
  const found = findTarget(simulation, objectType, { List: { items: names } } as Node);
  if (found) change(simulation, found, "altered");
  else noteAbsent(simulation, body, at, `${words(objectType)} ${wordsOf(names).join(".")} is not there`);
}

export function alterPolicy(simulation: Simulation, body: Node, at: Place): void {
  const table = findRangeVar(simulation, body.table as Node);
  const policy = findOnRelation(simulation, "policy", table, body.policy_name as string);
  if (table === null || policy === null) {
    simulation.failures.push({
      ...at,
      why: `policy ${body.policy_name as string} on ${rangeName(body.table as Node)} is not there`,
    });
    return;
  }
  lock(simulation, table.objid, "ACCESS EXCLUSIVE", "a policy is altered");
  change(simulation, policy, "altered");
}

export function alterDomain(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.typeName));
  const domain = findNamed(simulation, "type", schema, name);
  if (domain === null) {
    simulation.failures.push({ ...at, why: `domain ${wordsOf(body.typeName).join(".")} is not there` });
    return;
  }
  change(simulation, domain, "altered");
  if (body.subtype !== "X") return;
  const constraint = findOfDomain(simulation, domain, body.name as string);
  if (constraint !== undefined) drop(simulation, [keyOf(constraint)], body.behavior === "DROP_CASCADE", at);
}

export function alterEnum(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.typeName));
  const type = findNamed(simulation, "type", schema, name);
  if (type === null) simulation.failures.push({ ...at, why: `type ${wordsOf(body.typeName).join(".")} is not there` });
  else change(simulation, type, "an enum's labels are changed");
  if (body.oldVal !== undefined)
    simulation.opaque.push({ ...at, why: "renaming an enum label changes the rows that hold it without writing them" });
}
