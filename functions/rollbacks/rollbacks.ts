import { z } from "zod";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { showIncident } from "../../shared/rollback/incident/show.ts";
import { incidentSchema, ranSchema } from "../../shared/rollback/incident/types.ts";
import { listRollbacks, readRollback, recordedRollbackSchema } from "../../shared/rollback/list-rollbacks.ts";
import { waiveSchema } from "../../shared/rollback/plan/waivers.ts";
import { plainText } from "../../shared/text.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";
import { targetBody } from "./target.ts";

const reason = plainText(2_000).refine((text) => text.trim() !== "", "must not be blank");
const maintenance = z
  .boolean()
  .optional()
  .describe("Switch maintenance on for applications meanwhile, whatever the policy says");
const idParams = z.object({ id: z.uuid() });

export const rollbackRoutes = [
  route({
    method: "post",
    path: "/rollbacks",
    summary:
      "Execute a plan. The hash is the one of the plan that was looked at; if it is no longer current, nothing runs.",
    role: "operator",
    destructive: true,
    body: z.strictObject({
      ...targetBody,
      planHash: z.string().regex(/^[0-9a-f]{64}$/, "must be the hash of a plan"),
      reason,
      waive: waiveSchema.optional(),
      maintenance,
      plannedRows: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe("Rows that the plan which was looked at would destroy; default: as planned now"),
    }),
    response: ranSchema,
    handle: ({ belay, body }) => rollBackWithHooks(belay, body),
  }),
  route({
    method: "get",
    path: "/rollbacks",
    summary: "Rollbacks and undos, newest first.",
    role: "viewer",
    query: pageQuery.extend({ migration: plainText(500).optional() }),
    response: pageOfSchema(recordedRollbackSchema),
    handle: async ({ belay, query }) => mutable(await listRollbacks(belay, query)),
  }),
  route({
    method: "get",
    path: "/rollbacks/:id",
    summary: "One rollback or undo with its report.",
    role: "viewer",
    params: idParams,
    response: recordedRollbackSchema,
    handle: ({ belay, params }) => readRollback(belay, params.id),
  }),
  route({
    method: "get",
    path: "/rollbacks/:id/incident",
    summary: "The incident report of a rollback or an undo, as the records have it now; `latest` is the newest.",
    role: "viewer",
    params: z.object({ id: z.union([z.uuid(), z.literal("latest")]) }),
    response: incidentSchema,
    handle: ({ belay, params }) => showIncident(belay, params.id),
  }),
];

function mutable<T>(page: { readonly items: readonly T[]; readonly next: string | null }) {
  return { items: [...page.items], next: page.next };
}
