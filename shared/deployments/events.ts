import { createHash } from "node:crypto";
import { z } from "zod";
import { BelayError } from "../errors.ts";
import { plainText } from "../text.ts";
import type { DeploymentEvent } from "./types.ts";

const id = plainText(500);

const vercelSchema = z.object({
  id,
  type: z.string().max(200),
  createdAt: z.number().int().min(0).max(8.64e15),
  payload: z.object({
    target: plainText(100).nullish(),
    deployment: z.object({ id }).optional(),
  }),
});

const standardSchema = z.object({
  type: z.string().max(200),
  timestamp: z.union([z.iso.datetime({ offset: true }), z.number().min(0).max(8.64e15)]).optional(),
  data: z
    .object({
      id: id.optional(),
      deploymentId: id.optional(),
      deployment_id: id.optional(),
      deployId: id.optional(),
      target: plainText(100).nullish(),
      environment: plainText(100).nullish(),
      status: plainText(100).nullish(),
    })
    .default({}),
});

/** A Vercel webhook's body as a deployment event; throws `usage` when it is not one. */
export function vercelEvent(rawBody: Uint8Array): DeploymentEvent {
  const { data } = read(vercelSchema, rawBody);
  const good = ["deployment.succeeded", "deployment.ready", "deployment.promoted"].includes(data.type);
  return {
    platform: "vercel",
    deliveryId: data.id,
    externalId: data.payload.deployment?.id ?? data.id,
    status: data.type === "deployment.error" ? "failed" : good ? "succeeded" : "other",
    target: data.payload.target ?? null,
    occurredAt: new Date(data.createdAt),
    payloadSha256: sha256(rawBody),
  };
}

/** A Standard Webhooks body (`deployment.failed`, or Render's `deploy_ended`) as a deployment event. */
export function standardEvent(rawBody: Uint8Array, deliveryId: string, now: Date): DeploymentEvent {
  const { data: body } = read(standardSchema, rawBody);
  const { data } = body;
  return {
    platform: "standard",
    deliveryId,
    externalId: data.deploymentId ?? data.deployment_id ?? data.deployId ?? data.id ?? deliveryId,
    status: standardStatus(body.type, data.status ?? null),
    target: data.target ?? data.environment ?? null,
    occurredAt: body.timestamp === undefined ? now : new Date(body.timestamp),
    payloadSha256: sha256(rawBody),
  };
}

function standardStatus(type: string, status: string | null): DeploymentEvent["status"] {
  if (type === "deployment.failed" || type === "deployment.error") return "failed";
  if (type === "deployment.succeeded" || type === "deployment.ready") return "succeeded";
  if (type === "deploy_ended" || type === "build_ended")
    return status === "failed" ? "failed" : status === "succeeded" && type === "deploy_ended" ? "succeeded" : "other";
  return "other";
}

function read<T extends z.ZodType>(schema: T, rawBody: Uint8Array): { data: z.infer<T> } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody));
  } catch {
    throw new BelayError("usage", "the webhook's body is not JSON", { hint: "Send the platform's own JSON body." });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { data: parsed.data };
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "body").join(", ");
  throw new BelayError("usage", `the webhook's body is not a deployment event: ${fields}`, {
    hint: "Subscribe this address to deployment events only.",
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
