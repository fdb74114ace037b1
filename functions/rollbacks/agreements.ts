import { z } from "zod";
import { approvalSchema, approvePlan } from "../../shared/rollback/agree/approve.ts";
import { notificationSchema, tellTeam } from "../../shared/rollback/agree/tell-team.ts";
import { waiveSchema } from "../../shared/rollback/plan/waivers.ts";
import { plainText } from "../../shared/text.ts";
import { route } from "../route.ts";
import { targetBody } from "./target.ts";

const target = {
  ...targetBody,
  waive: waiveSchema.optional(),
};

export const agreementRoutes = [
  route({
    method: "post",
    path: "/plans/approve",
    summary:
      "Agree to a plan as a second person. It counts for this plan's hash alone, and not for what you roll back yourself.",
    role: "approver",
    destructive: true,
    body: z.strictObject({
      ...target,
      planHash: z.string().regex(/^[0-9a-f]{64}$/, "must be the hash of a plan"),
      reason: plainText(2_000).refine((text) => text.trim() !== "", "must not be blank"),
    }),
    response: approvalSchema,
    handle: ({ belay, body }) => approvePlan(belay, body),
  }),
  route({
    method: "post",
    path: "/plans/notify",
    summary: "Tell the team of a plan; its address taking the message is the evidence of the gate team_notified.",
    role: "operator",
    body: z.strictObject({ ...target, reason: plainText(2_000).optional() }),
    response: notificationSchema,
    handle: ({ belay, body }, { notify }) => tellTeam(belay, notify, body),
  }),
];
