import { Buffer } from "node:buffer";
import type { Context, Hono } from "hono";
import { standardEvent, vercelEvent } from "../../shared/deployments/events.ts";
import { receiveDelivery } from "../../shared/deployments/receive.ts";
import { respondToFailures } from "../../shared/deployments/respond.ts";
import { verifyStandard, verifyVercel } from "../../shared/deployments/signatures.ts";
import type { DeploymentEvent } from "../../shared/deployments/types.ts";
import { BelayError } from "../../shared/errors.ts";
import { createApp } from "../app.ts";
import type { AppDeps } from "../deps.ts";

/** Deployment webhooks. A sender may only make Belay propose rollbacks; nothing is executed here. */
export function createWebhooksApp(deps: AppDeps): Hono {
  const app = createApp("/webhooks", deps);
  app.post("/vercel", async (c) => {
    const body = await rawBody(c);
    const secret = configured(deps.webhooks.vercelSecret, "BELAY_VERCEL_SECRET");
    if (!verifyVercel(body, c.req.header("x-vercel-signature") ?? "", secret)) throw badSignature();
    return accept(c, deps, vercelEvent(body));
  });
  app.post("/standard", async (c) => {
    const body = await rawBody(c);
    const secret = configured(deps.webhooks.standardSecret, "BELAY_WEBHOOK_SECRET");
    const headers = {
      id: c.req.header("webhook-id") ?? "",
      timestamp: c.req.header("webhook-timestamp") ?? "",
      signature: c.req.header("webhook-signature") ?? "",
    };
    const named = headers.id.length > 0 && headers.id.length <= 500;
    if (!named || !verifyStandard(body, headers, secret, deps.now())) throw badSignature();
    return accept(c, deps, standardEvent(body, headers.id, deps.now()));
  });
  return app;
}

async function accept(c: Context, deps: AppDeps, event: DeploymentEvent): Promise<Response> {
  const belay = deps.belay(`webhook:${event.platform}`);
  const received = await receiveDelivery(belay, event);
  if (received.replayed) return c.json({ received: true, replayed: true }, 200);
  if (event.status === "failed") deps.background(respondToFailures(belay, deps.notify));
  return c.json({ received: true, replayed: false, deploymentId: received.deploymentId, status: event.status }, 202);
}

async function rawBody(c: Context): Promise<Uint8Array> {
  return Buffer.from(await c.req.arrayBuffer());
}

function configured(secret: string | null, variable: string): string {
  if (secret !== null) return secret;
  throw new BelayError("signature_invalid", "no secret is set for this webhook, so no sender can be trusted", {
    hint: `Set ${variable}.`,
  });
}

function badSignature(): BelayError {
  return new BelayError("signature_invalid", "the signature does not belong to this body, secret and time", {
    hint: "Check the webhook's secret on both sides, and the sender's clock.",
  });
}
