import type { Session } from "../../../postgres/session.ts";
import type { Task } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";
import { loadLargeObjects } from "./large-objects.ts";
import { beginLoad, type RowsStep, type SharedLoad } from "./load.ts";
import { loadTogether } from "./load-small.ts";
import { createQueue, type Queue } from "./queue.ts";
import { runSteps, type SqlStep } from "./statements.ts";

/**
 * Carries out tasks on all sessions at once: the heaviest that is ready first, small ones several to a transaction, and
 * a session with nothing else to do helps to load the table that another is at. The first failure ends the sessions of
 * the others, whose transactions the server rolls back.
 */
export async function runTasks(
  sessions: readonly Session[],
  tasks: readonly Task[],
  context: RestoreContext,
  onDone: (tasks: readonly Task[]) => void = () => {},
): Promise<void> {
  const queue = createQueue(
    tasks.filter(({ step }) => !context.finished.has(step.entry.dumpId)),
    sessions.length,
  );
  const loads = new Set<SharedLoad>();
  let failure: { error: unknown } | undefined;
  const work = async (session: Session) => {
    while (failure === undefined) {
      const batch = queue.take();
      if (batch !== null) {
        await runBatch(session, batch, loads, queue, context);
        queue.finish(batch);
        onDone(batch);
        continue;
      }
      if (queue.left === 0) return;
      const load = [...loads].find(({ open }) => open);
      if (load !== undefined) await load.help(session);
      else await queue.changed();
    }
  };
  await Promise.all(
    sessions.map((session) =>
      work(session).catch(async (error) => {
        if (failure !== undefined) return;
        failure = { error };
        queue.wake();
        await Promise.allSettled(sessions.map((one) => one.destroy()));
      }),
    ),
  );
  if (failure !== undefined) throw (failure as { error: unknown }).error;
}

async function runBatch(
  session: Session,
  batch: readonly Task[],
  loads: Set<SharedLoad>,
  queue: Queue,
  context: RestoreContext,
): Promise<void> {
  const [first] = batch;
  const { step } = first!;
  if (step.kind === "sql")
    return runSteps(
      session,
      batch.map((task) => task.step as SqlStep),
      context,
    );
  if (step.kind === "large-objects") return loadLargeObjects(session, step, context);
  if (batch.length > 1 || !isLarge(first!))
    return loadTogether(
      session,
      batch.map((task) => task.step as RowsStep),
      context,
    );
  const load = beginLoad(step, context, queue.wake);
  loads.add(load);
  try {
    await load.lead(session);
  } finally {
    loads.delete(load);
  }
}

/** Large enough to be worth a transaction, or a second session, of its own. */
export function isLarge({ weight }: Task): boolean {
  return weight >= 1024 * 1024;
}
