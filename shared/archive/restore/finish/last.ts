import { sqlStateOf } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";
import { entryName, restoreError } from "../errors.ts";
import type { RestoreContext } from "../execute/context.ts";
import { commitDurably } from "../execute/sessions.ts";
import { stateSchema } from "../execute/state.ts";
import type { Step } from "../plan/types.ts";

/**
 * Drops the record of the restore and makes the event triggers, in that order, so that none of them fires; and commits
 * with all on disk. A role that may not make event triggers restores the rest: each is named in the warnings.
 */
export async function finishRestore(session: Session, steps: readonly Step[], context: RestoreContext): Promise<void> {
  await session.run(`BEGIN; DROP SCHEMA ${stateSchema} CASCADE`);
  for (const step of steps) {
    if (step.kind !== "sql") continue;
    const name = entryName(step.entry);
    try {
      await session.run(`SAVEPOINT entry; ${step.sql}\n; RELEASE SAVEPOINT entry`);
      context.counts.entries += 1;
    } catch (error) {
      if (!session.alive || sqlStateOf(error) !== "42501")
        throw restoreError(error, { what: name, majors: context.majors });
      await session.run("ROLLBACK TO SAVEPOINT entry");
      context.warnings.push(`${name} was left out: ${(error as Error).message}`);
    }
  }
  await commitDurably(session);
}
