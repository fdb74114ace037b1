import { BelayError } from "../../errors.ts";
import type { Violation } from "./types.ts";

const mostShown = 5;

/** The error that names what the rollback did beyond archive and plan; `details.widen`: tables whose archiving would cover all of it. */
export function guardLoss(migration: string, violations: readonly Violation[]): BelayError {
  const shown = violations.slice(0, mostShown).map(({ subject, what }) => `${subject}: ${what}`);
  const more = violations.length > mostShown ? ` (and ${violations.length - mostShown} more)` : "";
  const curable = violations.every((violation) => violation.curable && violation.oid !== null);
  return new BelayError(
    "guard_loss",
    `the rollback of ${migration} would change what its archive or plan does not cover: ${shown.join("; ")}${more}`,
    {
      hint: "Everything was put back. Rewrite the rollback SQL so that each change is a statement of its own that the plan can name.",
      details: { violations, widen: curable ? [...new Set(violations.map(({ oid }) => oid))] : [] },
    },
  );
}
