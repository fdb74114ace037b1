import { z } from "zod";
import { BelayError } from "../../errors.ts";

const rule = z.number().int().min(1).max(100_000).optional();

/** Which dumps of a database are kept; each rule keeps on its own, and what no rule keeps may go. */
export const retentionPolicySchema = z
  .strictObject({
    /** The newest so many. */
    keepLast: rule,
    /** The newest of each of so many last days, weeks (from Monday), months and years that have one, in UTC. */
    keepDaily: rule,
    keepWeekly: rule,
    keepMonthly: rule,
    keepYearly: rule,
    /** All that are at most so many milliseconds older than the database's newest dump. */
    olderThanMs: z.number().int().positive().optional(),
  })
  .refine((policy) => Object.values(policy).some((value) => value !== undefined), {
    message: "a policy needs at least one rule",
  });

export type RetentionPolicy = Readonly<z.infer<typeof retentionPolicySchema>>;

const units: Readonly<Record<string, number>> = {
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** Milliseconds of an age such as `24h`, `30d`, `8w` or `2y` (365 days each); throws `usage`. */
export function parseAge(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([hdwy])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Number(count) * units[unit]!;
  throw new BelayError("usage", `${JSON.stringify(text)} is not an age`, { hint: "Write 24h, 30d, 8w or 2y." });
}

/** Throws `usage`, naming the rule that is wrong. */
export function parsePolicy(rules: Readonly<Record<string, unknown>>): RetentionPolicy {
  const parsed = retentionPolicySchema.safeParse(rules);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => [...issue.path, issue.message].join(": ")).join("; ");
  throw new BelayError("usage", `the retention policy is not valid: ${wrong}`, {
    hint: "For example: belay prune --keep-last 3 --keep-daily 7 --keep-weekly 4 --keep-monthly 12",
  });
}
