import { z } from "zod";
import { listMigrations } from "../../shared/migrations/status.ts";
import { planRollback } from "../../shared/rollback/plan-rollback.ts";
import { planSchema } from "../../shared/rollback/types.ts";
import { route } from "../route.ts";

export const migrationRoutes = [
  route({
    method: "post",
    path: "/plans",
    summary: "Plan a rollback: effect, gates, steps and the hash needed to execute. Changes nothing.",
    role: "viewer",
    body: z.strictObject({ migration: z.string().min(1).max(500), reason: z.string().max(2_000).optional() }),
    response: planSchema,
    handle: ({ belay, body }) => planRollback(belay, body),
  }),
];
