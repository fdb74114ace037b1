import { z } from "zod";
import { type ProofVerdict, proofVerdictSchema } from "../../migrations/prove/types.ts";
import { type Risk, riskSchema } from "../types.ts";
import { type AroundPolicy, aroundSchemas, defaultAround } from "./policy-around.ts";
import { maintenanceWindowSchema } from "./windows.ts";

/** Gates of which a policy decides; the others always stop a rollback when they fail. */
export const policyGates = [
  "checksum",
  "provenance",
  "undoable",
  "end_state",
  "backup_fresh",
  "restore_tested",
  "rehearsed",
  "team_notified",
  "approved",
  "maintenance_window",
] as const;
export type PolicyGate = (typeof policyGates)[number];

/**
 * `required`: must be passed or waived. `if_known`: must not have failed; what is not known does not stop a rollback.
 * `advised`: shown, never stops. `off`: not asked for.
 */
export const levelSchema = z.enum(["required", "if_known", "advised", "off"]);
export type Level = z.infer<typeof levelSchema>;

export const approverKinds = ["users", "database_roles"] as const;

/** Settings that a policy may decide. */
export const limitNames = [
  "lockTimeoutMs",
  "lockAttempts",
  "lockWaitMs",
  "criticalSectionMs",
  "idleMs",
  "statementTimeoutMs",
  "storeStallMs",
  "archiveMs",
] as const;
type LimitName = (typeof limitNames)[number];

const gateSchema = z.union([levelSchema, z.strictObject(optional(riskSchema.options, levelSchema))]);
const hours = z
  .number()
  .positive()
  .max(24 * 366);
const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const positive = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const people = z.number().int().min(1).max(9);

/** A policy file: what is left out is as in the default. */
export const policyFileSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where editors find this schema"),
    gates: z
      .strictObject(optional(policyGates, gateSchema))
      .optional()
      .describe("How much each gate counts: one level, or one for each risk"),
    backup: z
      .strictObject({
        maxAgeHours: hours.optional().describe("Age up to which a whole-database archive is fresh"),
        external: z
          .strictObject({
            by: z.string().trim().min(1).max(200).describe("Who says so"),
            statement: z.string().trim().min(1).max(1000).describe("What backups there are, that Belay cannot see"),
            until: z.iso.date().optional().describe("Last day on which the statement counts (UTC)"),
          })
          .nullable()
          .optional()
          .describe("A person's word for backups of another system; shown as a waiver by that person, never as passed"),
      })
      .optional(),
    drill: z
      .strictObject({ maxAgeDays: z.number().positive().max(3660).optional() })
      .optional()
      .describe("Age up to which a drill that passed counts"),
    rehearsal: z
      .strictObject({
        accept: z.array(proofVerdictSchema).min(1).optional().describe("Verdicts of `belay prove` that count"),
        maxAgeDays: z.number().positive().max(3660).nullable().optional(),
      })
      .optional(),
    approvals: z
      .strictObject({
        persons: people.optional().describe("How many besides the one who rolls back"),
        maxAgeHours: hours.optional(),
        from: z
          .array(z.enum(approverKinds))
          .min(1)
          .optional()
          .describe("users: signed in over HTTP with the role approver. database_roles: belay approve"),
        databaseRoles: z
          .array(z.string().min(1))
          .nullable()
          .optional()
          .describe("Database roles that may approve; null: every one that can write to schema belay"),
      })
      .optional(),
    notification: z.strictObject({ maxAgeHours: hours.optional() }).optional(),
    maintenanceWindows: z.array(maintenanceWindowSchema).max(50).optional(),
    waivers: z
      .strictObject({
        gates: z.array(z.enum(policyGates)).optional().describe("Gates that may be waived with a name and a reason"),
        persons: people
          .optional()
          .describe("How many must agree to a plan with waivers: 1 is whoever rolls back, 2 needs an approval too"),
      })
      .optional(),
    growth: z
      .strictObject({ rows: count.optional(), percent: z.number().nonnegative().max(100_000).optional() })
      .optional()
      .describe("By how much the rows to be destroyed may grow between plan and execution: the larger of both"),
    limits: z
      .strictObject({
        lockTimeoutMs: positive
          .nullable()
          .optional()
          .describe("Longest time in a lock's queue, where others stand behind"),
        lockAttempts: positive.max(1000).nullable().optional(),
        lockWaitMs: positive
          .nullable()
          .optional()
          .describe("Longest wait for locks in all, in and outside of their queues"),
        criticalSectionMs: positive.nullable().optional().describe("From the SQL's first lock to COMMIT"),
        idleMs: positive.nullable().optional().describe("After which a silent client loses the locks it holds"),
        statementTimeoutMs: positive.nullable().optional(),
        storeStallMs: positive.nullable().optional().describe("Longest wait for the store's next sign of life"),
        archiveMs: positive.nullable().optional().describe("For writing and reading back one archive"),
      })
      .optional(),
    ...aroundSchemas,
    preserve: z
      .strictObject({
        mode: z
          .enum(["archive", "quarantine", "copy"])
          .optional()
          .describe("How what goes is kept, unless a rollback is asked for another way"),
        days: z
          .number()
          .int()
          .min(1)
          .max(3660)
          .optional()
          .describe("How long it is kept in the database, at the least"),
      })
      .optional()
      .describe("What a rollback keeps in the database itself"),
    countUpToRows: positive.optional().describe("Tables estimated above this are estimated, not counted"),
    prove: z
      .strictObject({ failOn: z.array(proofVerdictSchema).optional() })
      .optional()
      .describe("Verdicts for which belay prove ends with an error"),
  })
  .describe("Policy of Belay: which risk needs which gate, and what counts as evidence");
export type PolicyFile = z.infer<typeof policyFileSchema>;

/** Which gates stop a rollback at which risk, what counts as evidence, and how far a plan counts. Part of the plan's hash. */
export interface Policy extends AroundPolicy {
  readonly gates: Readonly<Record<PolicyGate, Readonly<Record<Risk, Level>>>>;
  readonly backup: {
    readonly maxAgeHours: number;
    readonly external: { readonly by: string; readonly statement: string; readonly until?: string | undefined } | null;
  };
  readonly drill: { readonly maxAgeDays: number };
  readonly rehearsal: { readonly accept: readonly ProofVerdict[]; readonly maxAgeDays: number | null };
  readonly approvals: {
    readonly persons: number;
    readonly maxAgeHours: number;
    readonly from: readonly (typeof approverKinds)[number][];
    readonly databaseRoles: readonly string[] | null;
  };
  readonly notification: { readonly maxAgeHours: number };
  readonly maintenanceWindows: readonly z.infer<typeof maintenanceWindowSchema>[];
  readonly waivers: { readonly gates: readonly PolicyGate[]; readonly persons: number };
  readonly growth: { readonly rows: number; readonly percent: number };
  /** null: as the settings say. */
  readonly limits: Readonly<Record<LimitName, number | null>>;
  readonly preserve: { readonly mode: "archive" | "quarantine" | "copy"; readonly days: number };
  readonly countUpToRows: number;
  readonly prove: { readonly failOn: readonly ProofVerdict[] };
}

const always = (level: Level) => ({ LOW: level, MEDIUM: level, HIGH: level });

export const defaultPolicy: Policy = {
  gates: {
    checksum: always("if_known"),
    provenance: always("if_known"),
    undoable: always("if_known"),
    end_state: always("if_known"),
    backup_fresh: { LOW: "off", MEDIUM: "advised", HIGH: "advised" },
    restore_tested: { LOW: "off", MEDIUM: "advised", HIGH: "advised" },
    rehearsed: always("advised"),
    team_notified: { LOW: "off", MEDIUM: "off", HIGH: "advised" },
    approved: { LOW: "off", MEDIUM: "off", HIGH: "required" },
    maintenance_window: always("advised"),
  },
  backup: { maxAgeHours: 26, external: null },
  drill: { maxAgeDays: 31 },
  rehearsal: { accept: ["exact", "column-order"], maxAgeDays: null },
  approvals: { persons: 1, maxAgeHours: 24, from: ["users", "database_roles"], databaseRoles: null },
  notification: { maxAgeHours: 24 },
  maintenanceWindows: [],
  waivers: {
    gates: policyGates.filter((gate) => gate !== "provenance"),
    persons: 1,
  },
  growth: { rows: 1_000, percent: 10 },
  limits: Object.fromEntries(limitNames.map((name) => [name, null])) as Policy["limits"],
  ...defaultAround,
  preserve: { mode: "archive", days: 30 },
  countUpToRows: 10_000_000,
  prove: { failOn: ["residue", "overreach", "differs", "fails", "noop", "up-fails"] },
};

/** The default with what a file says instead. */
export function completePolicy(file: PolicyFile): Policy {
  const gates = { ...defaultPolicy.gates };
  for (const name of policyGates) {
    const said = file.gates?.[name];
    if (said !== undefined) gates[name] = typeof said === "string" ? always(said) : { ...gates[name], ...given(said) };
  }
  const merged = <
    Name extends "backup" | "drill" | "rehearsal" | "approvals" | "notification" | "maintenance" | "hooks" | "health",
  >(
    name: Name,
  ) => ({ ...defaultPolicy[name], ...given(file[name] ?? {}) }) as Policy[Name];
  return {
    gates,
    backup: merged("backup"),
    drill: merged("drill"),
    rehearsal: merged("rehearsal"),
    approvals: merged("approvals"),
    notification: merged("notification"),
    maintenance: merged("maintenance"),
    hooks: merged("hooks"),
    health: merged("health"),
    maintenanceWindows: file.maintenanceWindows ?? defaultPolicy.maintenanceWindows,
    waivers: { ...defaultPolicy.waivers, ...given(file.waivers ?? {}) } as Policy["waivers"],
    growth: { ...defaultPolicy.growth, ...given(file.growth ?? {}) } as Policy["growth"],
    limits: { ...defaultPolicy.limits, ...given(file.limits ?? {}) } as Policy["limits"],
    preserve: { ...defaultPolicy.preserve, ...given(file.preserve ?? {}) } as Policy["preserve"],
    countUpToRows: file.countUpToRows ?? defaultPolicy.countUpToRows,
    prove: { ...defaultPolicy.prove, ...given(file.prove ?? {}) } as Policy["prove"],
  };
}

/** Fields that a file says; their types are the schema's. */
function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function optional<Name extends string, Schema extends z.ZodType>(names: readonly Name[], schema: Schema) {
  return Object.fromEntries(names.map((name) => [name, schema.optional()])) as Record<Name, z.ZodOptional<Schema>>;
}
