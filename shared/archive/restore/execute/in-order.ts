import type { Session } from "../../../postgres/session.ts";
import { type Segment, segmentsOf } from "../plan/segments.ts";
import type { Step } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";
import { inTransactions, runSteps, type SqlStep } from "./statements.ts";

/** Carries out steps one after the other. */
export async function runInOrder(session: Session, steps: readonly Step[], context: RestoreContext): Promise<void> {
  const left = steps.filter((step): step is SqlStep => step.kind === "sql" && !context.finished.has(step.entry.dumpId));
  let done = 0;
  for (const batch of inTransactions(left)) {
    await runSteps(session, batch, context);
    done += batch.length;
    context.report({ phase: "restore", message: batch.at(-1)!.entry.desc.toLowerCase(), done, total: left.length });
  }
}

/**
 * Carries out steps that must come in order, where groups of tables know nothing of each other on all sessions at once.
 * When that fails, what is left comes in order after all: an archive may leave a dependency out.
 */
export async function runSchema(
  [control, ...workers]: readonly Session[],
  steps: readonly Step[],
  context: RestoreContext,
): Promise<void> {
  for (const segment of segmentsOf(steps)) {
    const left =
      segment.groups.length === 1 || workers.length < 2 ? segment.steps : await runGroups(workers, segment, context);
    await runInOrder(control!, left, context);
  }
}

/** Returns the steps that are left to be carried out in order. */
async function runGroups(
  workers: readonly Session[],
  { steps, groups }: Segment,
  context: RestoreContext,
): Promise<readonly Step[]> {
  const batches = gather(
    groups.map((group) =>
      group.filter((step): step is SqlStep => step.kind === "sql" && !context.finished.has(step.entry.dumpId)),
    ),
  );
  let failed = false;
  let next = 0;
  const work = async (session: Session) => {
    while (!failed && next < batches.length) {
      const batch = batches[next++]!;
      try {
        for (const part of inTransactions(batch)) await runSteps(session, part, context);
      } catch (error) {
        failed = true;
        if (!session.alive) throw error;
      }
      context.report({
        phase: "restore",
        message: batch.at(-1)!.entry.desc.toLowerCase(),
        done: next,
        total: batches.length,
      });
    }
  };
  await Promise.all(workers.map(work));
  return failed ? steps : [];
}

const perBatch = 100;

/** Small groups several to a batch; a large one is a batch of its own. */
function gather(groups: readonly (readonly SqlStep[])[]): SqlStep[][] {
  const batches: SqlStep[][] = [];
  for (const group of groups) {
    const last = batches.at(-1);
    if (group.length === 0) continue;
    if (last === undefined || last.length + group.length > perBatch) batches.push([...group]);
    else last.push(...group);
  }
  return batches;
}
