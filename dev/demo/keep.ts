import { belayFolder } from "../../servers/paths.ts";
import type { World } from "./world.ts";

/** Prints how to reach everything that still runs. */
export async function printPlaces(world: World): Promise<void> {
  const lines = Object.entries(world.environment).map(([name, value]) => `export ${name}='${value}'`);
  const functions = Object.entries(world.functions).map(([name, { url }]) => `${name.padEnd(10)} ${url}/${name}`);
  console.log(`
Everything still runs; Ctrl-C stops it. Data lies under ${belayFolder}.

For the command line (npx belay list) and psql "$BELAY_DATABASE_URL":

${lines.join("\n")}

Functions (rollbacks and drills have /openapi.json):

${functions.join("\n")}

A signed-in operator for an hour:

export TOKEN='${await world.identity.token()}'
curl -H "authorization: Bearer $TOKEN" ${world.functions.rollbacks.url}/rollbacks/migrations`);
}
