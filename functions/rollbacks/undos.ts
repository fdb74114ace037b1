import { z } from "zod";
import { approvalSchema } from "../../shared/rollback/agree/approve.ts";
import { ranSchema } from "../../shared/rollback/incident/types.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import { approveUndo } from "../../shared/rollback/undo/approve-undo.ts";
import { undoPlanSchema } from "../../shared/rollback/undo/plan-types.ts";
import { planUndo } from "../../shared/rollback/undo/plan-undo.ts";
import { plainText } from "../../shared/text.ts";
import { route } from "../route.ts";

const reason = plainText(2_000).refine((text) => text.trim() !== "", "must not be blank");
const planHash = z.string().regex(/^[0-9a-f]{64}$/, "must be the hash of a plan");
const table = plainText(200);
const params = z.object({ id: z.union([z.uuid(), z.literal("latest")]) });

const target = {
  only: z
    .array(table)
    .max(1_000)
    .optional()
    .describe("Tables, schema.table, that alone come back; the migration stays rolled back"),
  discardNewer: z
    .array(table)
    .max(1_000)
    .optional()
    .describe("Tables whose newer rows are archived and written over, or `all`"),
  waive: z
    .array(z.enum(["approved", "maintenance_window"]))
    .max(2)
    .optional(),
};

export const undoRoutes = [
  route({
    method: "post",
    path: "/rollbacks/:id/undo/plan",
    summary:
      "Plan the undo of a rollback: what comes back, what goes, locks, conflicts, gates and the hash. Changes nothing.",
    role: "viewer",
    params,
    body: z.strictObject({ ...target, reason: plainText(2_000).optional() }),
    response: undoPlanSchema,
    handle: ({ belay, params: { id }, body }) => planUndo(belay, { ...rollbackOf(id), ...body }),
  }),
  route({
    method: "post",
    path: "/rollbacks/:id/undo/approve",
    summary: "Agree to the plan of an undo as a second person. It counts for this plan's hash alone.",
    role: "approver",
    destructive: true,
    params,
    body: z.strictObject({ ...target, planHash, reason }),
    response: approvalSchema,
    handle: ({ belay, params: { id }, body }) => approveUndo(belay, { ...rollbackOf(id), ...body }),
  }),
  route({
    method: "post",
    path: "/rollbacks/:id/undo",
    summary:
      "Put back what a rollback destroyed. With a plan's hash it runs only as long as the plan is the same; newer objects and rows are conflicts.",
    role: "operator",
    destructive: true,
    params,
    body: z.strictObject({
      ...target,
      reason,
      planHash: planHash.optional(),
      plannedRows: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe("Rows that the plan which was looked at would write over; default: as planned now"),
      maintenance: z
        .boolean()
        .optional()
        .describe("Switch maintenance on for applications meanwhile, whatever the policy says"),
    }),
    response: ranSchema,
    handle: ({ belay, params: { id }, body }) => undoWithHooks(belay, { ...rollbackOf(id), ...body }),
  }),
];

function rollbackOf(id: string): { migration: string } | { rollbackId: string } {
  return id === "latest" ? { migration: id } : { rollbackId: id };
}
