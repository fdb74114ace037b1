import { z } from "zod";

const milliseconds = (most: number) => z.number().int().min(1).max(most);
const attempts = z.number().int().min(1).max(20);
const hourMs = 3_600_000;

const healthCheckSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100).describe("How reports and messages call it"),
    url: z
      .url({ protocol: /^https?$/, error: "must be an http or https URL" })
      .refine(withoutPassword, "must not hold a user or password: set such an address in BELAY_HEALTH_URL")
      .optional()
      .describe("Asked by GET; redirects are not followed"),
    expect: z
      .array(z.number().int().min(100).max(599))
      .min(1)
      .max(20)
      .optional()
      .describe("Statuses that are healthy; default: every 2xx"),
    sql: z.string().trim().min(1).max(10_000).optional().describe("One query, read only, that must answer true"),
  })
  .refine(({ url, sql }) => (url === undefined) !== (sql === undefined), "needs either url or sql")
  .refine(({ expect, sql }) => expect === undefined || sql === undefined, "expect is for url, not for sql");
export type HealthCheck = z.infer<typeof healthCheckSchema>;

/** Sections of a policy file on what happens around a rollback. */
export const aroundSchemas = {
  maintenance: z
    .strictObject({
      use: z.enum(["always", "asked"]).optional().describe("asked: with --maintenance alone"),
      message: z.string().trim().min(1).max(500).optional().describe("What applications read as the reason"),
      minutes: z
        .number()
        .min(1)
        .max(24 * 60)
        .optional()
        .describe("After which it ends by itself when nobody renews it; renewed while the process lives"),
    })
    .optional(),
  hooks: z
    .strictObject({
      onBeforeFailure: z
        .enum(["stop", "continue"])
        .optional()
        .describe("What a before hook that nobody took means for the rollback"),
      timeoutMs: milliseconds(hourMs).optional().describe("For one attempt"),
      attempts: attempts.optional(),
      totalMs: milliseconds(hourMs).optional().describe("For all attempts of one call"),
    })
    .optional(),
  health: z
    .strictObject({
      checks: z.array(healthCheckSchema).max(50).refine(namedOnce, "two checks have the same name").optional(),
      timeoutMs: milliseconds(hourMs).optional().describe("For one attempt"),
      attempts: attempts.optional(),
      totalMs: milliseconds(hourMs).optional().describe("For all checks before, and again after"),
      onFailure: z
        .enum(["report", "undo"])
        .optional()
        .describe("What a check means that passed before the rollback and fails after it"),
    })
    .optional(),
};

/** Maintenance, hooks and health checks; each value as in the file or as in the default. */
export interface AroundPolicy {
  readonly maintenance: {
    readonly use: "always" | "asked";
    readonly message: string;
    readonly minutes: number;
  };
  readonly hooks: {
    readonly onBeforeFailure: "stop" | "continue";
    readonly timeoutMs: number;
    readonly attempts: number;
    readonly totalMs: number;
  };
  readonly health: {
    readonly checks: readonly HealthCheck[];
    readonly timeoutMs: number;
    readonly attempts: number;
    readonly totalMs: number;
    readonly onFailure: "report" | "undo";
  };
}

export const defaultAround: AroundPolicy = {
  maintenance: { use: "asked", message: "A database change is being rolled back.", minutes: 5 },
  hooks: { onBeforeFailure: "stop", timeoutMs: 10_000, attempts: 3, totalMs: 30_000 },
  health: { checks: [], timeoutMs: 5_000, attempts: 3, totalMs: 30_000, onFailure: "report" },
};

function withoutPassword(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username === "" && password === "";
}

function namedOnce(checks: readonly { readonly name: string }[]): boolean {
  return new Set(checks.map(({ name }) => name)).size === checks.length;
}
