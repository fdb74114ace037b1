import { z } from "zod";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { listRollbacks, readRollback, recordedRollbackSchema } from "../../shared/rollback/list-rollbacks.ts";
import { waiveSchema } from "../../shared/rollback/plan/waivers.ts";
import { rollbackReportSchema } from "../../shared/rollback/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { plainText } from "../../shared/text.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";
import { targetBody } from "./target.ts";

const reason = plainText(2_000).refine((text) => text.trim() !== "", "must not be blank");
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
      plannedRows: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe("Rows that the plan which was looked at would destroy; default: as planned now"),
    }),
    response: rollbackReportSchema,
    handle: ({ belay, body }) => executeRollback(belay, body),
  }),
  route({
    method: "post",
    path: "/rollbacks/:id/undo",
    summary: "Put back what a rollback destroyed.",
    role: "operator",
    destructive: true,
    params: idParams,
    body: z.strictObject({ reason }),
    response: rollbackReportSchema,
    handle: ({ belay, params, body }) => undoRollback(belay, { rollbackId: params.id, reason: body.reason }),
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
];

function mutable<T>(page: { readonly items: readonly T[]; readonly next: string | null }) {
  return { items: [...page.items], next: page.next };
}
