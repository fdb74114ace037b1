import type { Place, Simulation } from "./simulation.ts";
import { type Node, nodes } from "./sql-nodes.ts";

/** SET and RESET of what decides which objects later statements mean: search_path and role. */
export function setVariable(simulation: Simulation, body: Node, at: Place): void {
  const isSet = body.kind === "VAR_SET_VALUE";
  const values = nodes(body.args).map((each) => ((each.A_Const as Node | undefined)?.sval as Node | undefined)?.sval);
  if (body.name === "role" || body.name === "session_authorization") {
    // After SET SESSION AUTHORIZATION another role is the one that RESET ROLE goes back to.
    const known = simulation.role !== null && body.name === "role";
    const role = isSet && values[0] !== "none" ? values[0] : simulation.graph.role;
    simulation.role = known && typeof role === "string" ? role : null;
  } else if (body.name !== "search_path") return;
  else if (!isSet) simulation.searchPath = simulation.graph.searchPath;
  else if (values.some((each) => typeof each !== "string"))
    simulation.opaque.push({ ...at, why: "a search_path that Belay cannot read" });
  else simulation.searchPath = values as string[];
}
