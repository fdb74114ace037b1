import { BelayError } from "../../errors.ts";
import { archiveWords } from "../plan/target.ts";
import { largeObjects } from "./guard.ts";
import type { Violation } from "./types.ts";

const mostShown = 5;

/**
 * The error that names what the rollback did beyond archive and plan. `details.widen`: tables that the plan names and whose
 * archiving would cover all of it; `archive`: tables of which the same is true when they are asked for.
 */
export function guardLoss(
  migration: string,
  violations: readonly Violation[],
  archive: readonly string[] = [],
): BelayError {
  const shown = violations.slice(0, mostShown).map(({ subject, what }) => `${subject}: ${what}`);
  const more = violations.length > mostShown ? ` (and ${violations.length - mostShown} more)` : "";
  const curable = violations.every((violation) => violation.curable && violation.oid !== null);
  return new BelayError(
    "guard_loss",
    `the rollback of ${migration} would change what its archive or plan does not cover: ${shown.join("; ")}${more}`,
    {
      hint: archive.length > 0 ? archiveHint(archive) : otherHint(violations),
      details: {
        violations,
        widen: curable ? [...new Set(violations.map(({ oid }) => oid))] : [],
        archive: [...archive],
      },
    },
  );
}

/** Nothing can be archived on request that would cover all of it. */
function otherHint(violations: readonly Violation[]): string {
  return violations.some(({ subject }) => subject === largeObjects) ? largeObjectHint : rewriteHint;
}

const largeObjectHint =
  "Everything was put back. No rollback's archive holds large objects: take what writes or removes them out of the rollback SQL, and do it by hand after a belay dump, which holds them.";

const rewriteHint =
  "Everything was put back. Rewrite the rollback SQL so that each change is a statement of its own that the plan can name.";

function archiveHint(archive: readonly string[]): string {
  const [are, them] = archive.length === 1 ? ["it is", "it"] : ["they are", "them"];
  return `Everything was put back. Run again with ${archiveWords(archive)}: then ${are} archived whole first, and undo brings back what the SQL does to ${them}. Or rewrite the rollback SQL so that each change is a statement of its own that the plan can name.`;
}
