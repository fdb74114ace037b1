import { edgeDeps } from "../../../functions/belay.ts";
import { createWebhooksApp } from "../../../functions/webhooks/app.ts";

const app = createWebhooksApp(edgeDeps(Deno.env.toObject()));

Deno.serve(app.fetch);
