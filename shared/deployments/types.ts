import { z } from "zod";

/** What a deployment platform told about one deployment. */
export interface DeploymentEvent {
  readonly platform: "vercel" | "standard";
  /** Unique per delivery: stops a replay. */
  readonly deliveryId: string;
  /** The platform's own id of the deployment. */
  readonly externalId: string;
  readonly status: "succeeded" | "failed" | "other";
  /** `production`, `preview`...; null when the platform does not say. */
  readonly target: string | null;
  readonly occurredAt: Date;
  /** sha256 (hex) of the raw body. */
  readonly payloadSha256: string;
}

/** The plan of one migration's rollback, as recorded with a failed deployment. */
export const deploymentPlanSchema = z.object({
  migration: z.string(),
  planHash: z.string().nullable(),
  risk: z.enum(["HIGH", "MEDIUM", "LOW"]).nullable(),
  canRollBack: z.boolean(),
  blockingReason: z.string().nullable(),
});
export type DeploymentPlan = z.infer<typeof deploymentPlanSchema>;

export const deploymentSchema = z.object({
  id: z.string(),
  platform: z.string(),
  externalId: z.string(),
  status: z.enum(["succeeded", "failed", "other"]),
  target: z.string().nullable(),
  occurredAt: z.string(),
  plans: z.array(deploymentPlanSchema),
  notifiedAt: z.string().nullable(),
});
export type Deployment = z.infer<typeof deploymentSchema>;
