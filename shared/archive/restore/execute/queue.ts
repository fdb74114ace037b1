import { BelayError } from "../../../errors.ts";
import type { Task } from "../plan/types.ts";

/** Tasks that wait for others, are ready, or are under way. */
export interface Queue {
  /** What to do next, in one transaction: one heavy task or some light ones; null when nothing may begin now. */
  take(): readonly Task[] | null;
  finish(batch: readonly Task[]): void;
  /** Tasks not finished. */
  readonly left: number;
  /** Resolves when another task may begin, or a load can be helped with; rejects with `archive_invalid` when none ever will. */
  changed(): Promise<void>;
  wake(): void;
}

const light = 1024 * 1024;
const most = { rows: 64, sql: 50, "large-objects": 1 };
const lookedAt = 2_000;

export function createQueue(tasks: readonly Task[], workers: number): Queue {
  const byId = new Map(tasks.map((task) => [task.step.entry.dumpId, task]));
  const waitsFor = new Map<Task, number>();
  const neededBy = new Map<number, Task[]>();
  let ready: Task[] = [];
  for (const task of tasks) {
    const needs = task.needs.filter((id) => byId.has(id));
    waitsFor.set(task, needs.length);
    for (const id of needs) {
      const waiting = neededBy.get(id);
      if (waiting === undefined) neededBy.set(id, [task]);
      else waiting.push(task);
    }
    if (needs.length === 0) ready.push(task);
  }
  const taken = { exclusive: new Set<number>(), shared: new Map<number, number>() };
  let left = tasks.length;
  let running = 0;
  let sorted = false;
  let waiters: (() => void)[] = [];

  const isFree = ({ exclusive, shared }: Task) =>
    exclusive.every((id) => !taken.exclusive.has(id) && !taken.shared.has(id)) &&
    shared.every((id) => !taken.exclusive.has(id));
  const hold = (task: Task) => {
    for (const id of task.exclusive) taken.exclusive.add(id);
    for (const id of task.shared) taken.shared.set(id, (taken.shared.get(id) ?? 0) + 1);
  };
  const release = (task: Task) => {
    for (const id of task.exclusive) taken.exclusive.delete(id);
    for (const id of task.shared) {
      const others = (taken.shared.get(id) ?? 1) - 1;
      if (others === 0) taken.shared.delete(id);
      else taken.shared.set(id, others);
    }
  };
  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const one of woken) one();
  };
  return {
    get left() {
      return left;
    },
    wake,
    changed: () => {
      if (running === 0) return Promise.reject(inACircle());
      return new Promise((resolve) => waiters.push(resolve));
    },
    take: () => {
      if (!sorted) ready.sort((a, b) => priority(b) - priority(a));
      sorted = true;
      const at = ready.slice(0, lookedAt).findIndex(isFree);
      if (at === -1) return null;
      const first = ready[at]!;
      const batch = [first];
      const alike = (task: Task) => task.step.kind === first.step.kind && task.weight < light;
      const share = Math.ceil((ready.length - at) / (2 * workers));
      const size = first.weight < light ? Math.min(most[first.step.kind], Math.max(1, share)) : 1;
      // Whether others are free is seen before this batch's own locks: within a transaction they do not conflict.
      for (const task of ready.slice(at + 1, lookedAt)) {
        if (batch.length >= size) break;
        if (alike(task) && isFree(task)) batch.push(task);
      }
      for (const task of batch) hold(task);
      const begun = new Set(batch);
      ready = ready.filter((task) => !begun.has(task));
      running += 1;
      return batch;
    },
    finish: (batch) => {
      for (const task of batch) {
        release(task);
        for (const waiting of neededBy.get(task.step.entry.dumpId) ?? []) {
          const needs = waitsFor.get(waiting)! - 1;
          waitsFor.set(waiting, needs);
          if (needs > 0) continue;
          ready.push(waiting);
          sorted = false;
        }
      }
      left -= batch.length;
      running -= 1;
      wake();
    },
  };
}

/** Rows before what waits for them; then the heaviest first. */
function priority({ step, weight }: Task): number {
  return step.kind === "sql" ? weight : weight * 2 + 1;
}

function inACircle(): BelayError {
  return new BelayError("archive_invalid", "entries of the archive wait for each other in a circle", {
    hint: "The archive's table of contents is damaged. Use another archive.",
  });
}
