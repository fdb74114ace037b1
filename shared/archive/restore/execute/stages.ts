import type { Session } from "../../../postgres/session.ts";
import type { TocArchive } from "../../read/types.ts";
import type { Clock } from "../clock.ts";
import { databaseName } from "../create-database.ts";
import { restoreError } from "../errors.ts";
import { analyzeAll } from "../finish/analyze.ts";
import { finishRestore } from "../finish/last.ts";
import { unsoundObjects } from "../finish/objects.ts";
import { sequencesBehind } from "../finish/sequences.ts";
import { databaseSteps } from "../plan/database.ts";
import type { RestorePlan, Task } from "../plan/types.ts";
import type { RestoreRequest } from "../types.ts";
import type { RestoreContext } from "./context.ts";
import { runInOrder, runSchema } from "./in-order.ts";
import type { LoadProgress } from "./progress.ts";
import { runTasks } from "./schedule.ts";

/** Carries out a plan, stage by stage; the first session is for what comes in order, the others for what need not. */
export async function runStages(
  {
    archive,
    url,
    made,
    owners = true,
    grants = true,
    analyze = true,
  }: RestoreRequest & { readonly archive: TocArchive },
  plan: RestorePlan,
  [control, ...workers]: readonly Session[],
  context: RestoreContext,
  { clock, progress }: { readonly clock: Clock; readonly progress: LoadProgress },
): Promise<void> {
  clock.enter("schema");
  await runSchema([control!, ...workers], plan.before, context);
  clock.enter("rows");
  let loads = plan.tasks.filter(isLoad).filter(({ step }) => !context.finished.has(step.entry.dumpId)).length;
  if (loads === 0) clock.enter("indexes");
  await runTasks(workers, plan.tasks, context, (tasks) => {
    progress.onDone(tasks);
    const loaded = tasks.filter(isLoad).length;
    loads -= loaded;
    if (loaded > 0 && loads === 0) clock.enter("indexes");
  });
  clock.enter("finish");
  await runInOrder(control!, plan.grants, context);
  await runTasks(workers, plan.refreshes, context);
  context.warnings.push(...(await sequencesBehind(control!)));
  context.warnings.push(...(await unsoundObjects(control!, archive.toc.entries)));
  if (analyze) {
    clock.enter("analyze");
    const without = await analyzeAll(workers).catch((error) => {
      throw restoreError(error, { what: "the planner's statistics" });
    });
    context.warnings.push(...without);
  }
  clock.enter("finish");
  if (made) await runInOrder(control!, databaseSteps(archive.toc, databaseName(url), { owners, grants }), context);
  await finishRestore(control!, plan.last, context);
  clock.stop();
}

function isLoad({ step }: Task): boolean {
  return step.kind !== "sql";
}
