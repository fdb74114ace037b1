import { z } from "zod";
import { BelayError } from "./errors.ts";
import { defaultPolicy, limitNames, type Policy } from "./rollback/plan/policy.ts";

/** How a team's files hold forward and rollback SQL; docs/layouts.md shows each. */
export const layoutNames = [
  "section",
  "rollbacks-folder",
  "prefix",
  "mirror-folder",
  "up-down-pair",
  "dbmate",
  "goose",
  "flyway",
  "folder-pair",
  "sql-migrate",
] as const;

/** Settings of one run, parsed once at an entrypoint from flags and environment; nothing else reads the environment. */
export const settingsSchema = z.object({
  /** Target database, a direct or session-pooled connection. `BELAY_DATABASE_URL`. */
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL")
    .optional(),
  /** Where archives go: `s3://bucket/prefix?endpoint=...&region=...` or `file:///dir`. `BELAY_STORE`. */
  store: z
    .string()
    .regex(/^(s3|file):\/\//, "must be an s3:// or file:// URL")
    .optional(),
  /** A server where scratch databases may be created. `BELAY_SCRATCH_URL`. */
  scratch: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL")
    .optional(),
  /** SQL file run in each scratch database before migrations are replayed there (roles, auth schema...). */
  scratchSetup: z.string().optional(),
  migrations: z.string().default("supabase/migrations"),
  layout: z.enum(layoutNames).optional(),
  actor: z.string().min(1).default("unknown"),
  /** Which risk needs which gate: a file (`BELAY_POLICY`), in functions `BELAY_POLICY_JSON`; parsed at the entrypoint. */
  policy: z.custom<Policy>((value) => typeof value === "object" && value !== null).default(() => defaultPolicy),
  /** Where the team is told: Slack-compatible JSON, signed as Standard Webhooks. `BELAY_NOTIFY_URL`, `BELAY_NOTIFY_SECRET`. */
  notifyUrl: z.url({ protocol: /^https?$/ }).optional(),
  notifySecret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+=*$/, "must be whsec_ and base64")
    .optional(),
  /** Ed25519 private key that signs receipts and anchors, PKCS8 in base64. `BELAY_SIGNING_KEY`. */
  signingKey: z
    .string()
    .regex(/^MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}$/, "must be an Ed25519 private key, PKCS8 (DER) in base64")
    .optional(),
  /** Told before and after every rollback and undo, signed as Standard Webhooks. `BELAY_HOOK_BEFORE`, `BELAY_HOOK_AFTER`. */
  hookBefore: z.url({ protocol: /^https?$/ }).optional(),
  hookAfter: z.url({ protocol: /^https?$/ }).optional(),
  /** Signs them; several with a space between while one follows the other. `BELAY_HOOK_SECRET`. */
  hookSecret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+=*( whsec_[A-Za-z0-9+/]+=*)*$/, "must be whsec_ and base64")
    .optional(),
  /** Asked before and after besides the policy's health checks: they may hold a key. `BELAY_HEALTH_URL`, with spaces between. */
  healthUrls: z.array(z.url({ protocol: /^https?$/ })).default([]),
  /** `edge` has a budget of raw COPY text per invocation; `node` has none. */
  runtime: z.enum(["node", "edge"]).default("node"),
  /** Raw COPY bytes that one invocation may archive; null: no limit. */
  archiveBudgetBytes: z.number().int().positive().nullable().default(null),
  /** Longest time in a lock's queue, where others stand behind us; they have as long for themselves between two attempts. */
  lockTimeoutMs: z.number().int().positive().default(1_000),
  /** How often to queue. */
  lockAttempts: z.number().int().positive().default(10),
  /** Longest wait for locks in all, in and outside of their queues; default: three times all attempts' timeouts. */
  lockWaitMs: z.number().int().positive().optional(),
  statementTimeoutMs: z.number().int().positive().default(600_000),
  /** Longest time from the first lock of the rollback SQL to COMMIT. */
  criticalSectionMs: z.number().int().positive().default(5_000),
  /** How long a transaction with locks may hear nothing from its client before the server ends it. */
  idleMs: z.number().int().positive().default(60_000),
  /** Longest wait for the archive store's next sign of life; tables are locked meanwhile. */
  storeStallMs: z.number().int().positive().default(60_000),
  /** Longest time for writing and reading back one rollback's archive. */
  archiveMs: z.number().int().positive().default(3_600_000),
  /** Sessions that read tables into one rollback's archive at a time; default: by size, at most 2. `BELAY_ARCHIVE_READERS`. */
  archiveReaders: z.coerce.number().int().min(1).max(16).optional(),
});

export type Settings = Readonly<z.infer<typeof settingsSchema>>;

/** Validates raw settings; throws `usage` naming each setting that is wrong. */
export function parseSettings(raw: Record<string, unknown>): Settings {
  const parsed = settingsSchema.safeParse(raw);
  if (parsed.success) {
    requireHookSecret(parsed.data);
    return Object.freeze({ ...parsed.data, ...limitsOf(parsed.data.policy) });
  }
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new BelayError("usage", `settings are not valid: ${wrong}`, {
    hint: "Pass the setting as a flag or through its BELAY_ environment variable.",
  });
}

/** Whoever receives a call must be able to tell who sent it. */
function requireHookSecret({ hookBefore, hookAfter, hookSecret }: Settings): void {
  if ((hookBefore === undefined && hookAfter === undefined) || hookSecret !== undefined) return;
  throw new BelayError("usage", "hooks are signed, and no secret is set", {
    hint: 'Set BELAY_HOOK_SECRET: echo "whsec_$(openssl rand -base64 32)" makes one.',
  });
}

/** Who is told and asked around a rollback, by the environment's names. */
export function aroundFromEnvironment(environment: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const health = environment.BELAY_HEALTH_URL;
  return {
    notifyUrl: environment.BELAY_NOTIFY_URL,
    notifySecret: environment.BELAY_NOTIFY_SECRET,
    hookBefore: environment.BELAY_HOOK_BEFORE,
    hookAfter: environment.BELAY_HOOK_AFTER,
    hookSecret: environment.BELAY_HOOK_SECRET,
    healthUrls: typeof health === "string" ? health.split(/\s+/).filter((url) => url !== "") : undefined,
  };
}

/** What the policy says of locks and waiting goes before the settings. */
function limitsOf({ limits }: Policy): Partial<Settings> {
  return Object.fromEntries(limitNames.flatMap((name) => (limits[name] === null ? [] : [[name, limits[name]]])));
}

/** The settings of a command line or a function, by the environment's names. Flags win over the environment. */
export function settingsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Partial<Record<keyof Settings, unknown>> = {},
): Settings {
  const raw: Record<string, unknown> = {
    database: environment.BELAY_DATABASE_URL ?? environment.SUPABASE_DB_URL,
    store: environment.BELAY_STORE,
    scratch: environment.BELAY_SCRATCH_URL,
    scratchSetup: environment.BELAY_SCRATCH_SETUP,
    migrations: environment.BELAY_MIGRATIONS,
    layout: environment.BELAY_LAYOUT,
    actor: environment.BELAY_ACTOR ?? environment.USER,
    ...aroundFromEnvironment(environment),
    signingKey: environment.BELAY_SIGNING_KEY,
    archiveReaders: environment.BELAY_ARCHIVE_READERS,
  };
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) raw[name] = value;
  return parseSettings(
    Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined && value !== "")),
  );
}
