import { alterNamed } from "./alter-object.ts";
import { drop } from "./destroy.ts";
import { findNamed } from "./resolve.ts";
import { change, keyOf, noteAbsent, type Place, type SimulatedObject, type Simulation } from "./simulation.ts";
import type { Node } from "./sql-nodes.ts";

/** ALTER SERVER and ALTER FOREIGN DATA WRAPPER. */
export function alterForeign(simulation: Simulation, objectType: string, name: unknown, at: Place): void {
  alterNamed(simulation, objectType, { String: { sval: name } }, at);
}

export function alterUserMapping(simulation: Simulation, body: Node, at: Place): void {
  const mapping = findMapping(simulation, body);
  if (mapping === null) simulation.failures.push({ ...at, why: `${mappingWords(body)} is not there` });
  else change(simulation, mapping, "altered");
}

export function dropUserMapping(simulation: Simulation, body: Node, at: Place): void {
  dropFound(simulation, findMapping(simulation, body), { body, what: mappingWords(body), at });
}

export function dropSubscription(simulation: Simulation, body: Node, at: Place): void {
  const name = body.subname as string;
  dropFound(simulation, findNamed(simulation, "subscription", null, name), { body, what: `subscription ${name}`, at });
}

function dropFound(
  simulation: Simulation,
  found: SimulatedObject | null,
  { body, what, at }: { body: Node; what: string; at: Place },
): void {
  if (found === null) noteAbsent(simulation, body, at, `${what} is not there`);
  else drop(simulation, [keyOf(found)], body.behavior === "DROP_CASCADE", at);
}

/** The graph marks our own mappings, because the text may say CURRENT_USER. */
function findMapping(simulation: Simulation, body: Node): SimulatedObject | null {
  const isOwn = !["ROLESPEC_CSTRING", "ROLESPEC_PUBLIC"].includes(roleOf(body).roletype as string);
  const server = ` on server ${body.servername as string}`;
  if (!isOwn) return findNamed(simulation, "user mapping", null, `for ${userOf(body)}${server}`);
  const mappings = simulation.byFamily.get("user mapping") ?? [];
  return (
    mappings.find((each) => each.sub === "own" && each.name.endsWith(server) && !simulation.gone.has(keyOf(each))) ??
    null
  );
}

function mappingWords(body: Node): string {
  return `user mapping for ${userOf(body)} on server ${body.servername as string}`;
}

function userOf(body: Node): string {
  const { roletype, rolename } = roleOf(body);
  if (roletype === "ROLESPEC_CSTRING") return rolename as string;
  return roletype === "ROLESPEC_PUBLIC" ? "public" : "the current user";
}

function roleOf(body: Node): Node {
  return (body.user ?? {}) as Node;
}
