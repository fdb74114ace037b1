import { edgeDeps } from "../../../functions/belay.ts";
import { createRollbacksApp } from "../../../functions/rollbacks/app.ts";

const app = createRollbacksApp(edgeDeps(Deno.env.toObject()));

Deno.serve(app.fetch);
