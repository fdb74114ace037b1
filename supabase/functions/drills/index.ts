import { edgeDeps } from "../../../functions/belay.ts";
import { createDrillsApp } from "../../../functions/drills/app.ts";

const app = createDrillsApp(edgeDeps(Deno.env.toObject()));

Deno.serve(app.fetch);
