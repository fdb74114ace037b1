import { z } from "zod";
import { checklistItemSchema, gateSchema } from "../gate-types.ts";
import { aroundSchema, timelineEventSchema } from "../hooks/types.ts";
import { riskSchema, rollbackOutcomes, rollbackReportSchema } from "../types.ts";

const whoSchema = z.object({ actor: z.string(), at: z.string(), reason: z.string() });

/** Who agreed to the plan, or let it pass a gate. */
export const agreementSchema = whoSchema.extend({
  decision: z.enum(["approved", "waived"]),
  gate: z.string().nullable(),
  /** Role of the database connection; of a signed-in user it is Belay's own. */
  databaseRole: z.string(),
});

/** What the plans of a rollback and of an undo have in common. */
export const recordedPlanSchema = z.object({
  hash: z.string(),
  policyDigest: z.string(),
  risk: riskSchema,
  riskReasons: z.array(z.string()),
  gates: z.array(
    gateSchema.pick({ state: true, requirement: true, evidence: true, waiver: true }).extend({ name: z.string() }),
  ),
  checklist: z.array(checklistItemSchema).default([]),
});
export type RecordedPlan = z.infer<typeof recordedPlanSchema>;

/** What one rollback or undo was, for people and for machines; without row values and credentials. */
export const incidentSchema = z.object({
  format: z.literal("belay-incident/1"),
  rollbackId: z.string(),
  kind: z.enum(["rollback", "undo"]),
  outcome: z.enum(rollbackOutcomes),
  /** The whole in a sentence or two. */
  summary: z.string(),
  database: z.object({ name: z.string(), systemIdentifier: z.string(), serverVersion: z.string() }),
  /** All that went, or came back, as one. */
  migrations: z.array(z.string()),
  /** Of an undo: the rollback that it undoes. */
  undoes: z.string().nullable(),
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  /** null: it runs, or its process ended and nobody has settled its record yet. */
  finishedAt: z.string().nullable(),
  /** `hint`: the next step. */
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  timeline: z.array(timelineEventSchema),
  plan: recordedPlanSchema.pick({ hash: true, policyDigest: true, risk: true, riskReasons: true }).nullable(),
  /** What went (or came back); empty unless it was committed. */
  loss: z.object({
    tables: z.array(z.object({ name: z.string(), rows: z.number().int() })),
    columns: z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.number().int() })),
    sequences: z.array(z.object({ name: z.string(), lastValue: z.string() })),
    objects: z.object({
      destroyed: z.number().int(),
      changed: z.number().int(),
      created: z.number().int(),
      /** The first of them. */
      named: rollbackReportSchema.shape.objects,
    }),
  }),
  endState: rollbackReportSchema.shape.endState.nullable(),
  attempts: z.number().int().nullable(),
  criticalSectionMs: z.number().nullable(),
  archive: z
    .object({
      id: z.string(),
      /** The store's address, without credentials. */
      store: z.string(),
      manifestSha256: z.string(),
      verifiedAt: z.string(),
      rows: z.number(),
      bytes: z.number(),
    })
    .nullable(),
  gates: recordedPlanSchema.shape.gates,
  agreements: z.array(agreementSchema),
  checklist: z.array(checklistItemSchema),
  around: aroundSchema.nullable(),
  /** What the team's own tool does next, and what else there is to know. */
  notes: z.array(z.string()),
  undo: z.object({
    /** null: nothing is to be undone. */
    command: z.string().nullable(),
    /** Steps for an operator with stock tools alone. */
    byHand: z.array(z.string()),
    undone: whoSchema.extend({ rollbackId: z.string() }).nullable(),
  }),
  writtenAt: z.string(),
});
export type Incident = z.infer<typeof incidentSchema>;

/** Where an incident report lies. */
export const incidentPlaceSchema = z.object({
  rollbackId: z.string(),
  /** Whether the database has it. */
  recorded: z.boolean(),
  /** The folder in the store with incident.md and incident.json; null: not there. */
  stored: z.string().nullable(),
  notes: z.array(z.string()),
});
export type IncidentPlace = z.infer<typeof incidentPlaceSchema>;

/** What a rollback or an undo answers: its report, what was done around it, and where the incident report lies. */
export const ranSchema = rollbackReportSchema.extend({
  around: aroundSchema,
  /** The undo that followed by policy; null without one. */
  policyUndo: z
    .object({
      rollbackId: z.string(),
      outcome: z.enum(["committed", "failed"]),
      /** Why it was begun, or why it failed. */
      evidence: z.string(),
    })
    .nullable(),
  incident: incidentPlaceSchema,
});
export type Ran = z.infer<typeof ranSchema>;
