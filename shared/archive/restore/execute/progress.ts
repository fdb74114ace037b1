import type { Progress } from "../../../context.ts";
import type { Task } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";

const everyMs = 200;

/** COPY text that a byte of compressed data usually becomes, and after how many stored bytes the archive's own ratio counts as much. */
const usualRatio = 4;
const trustedAfter = 32 * 1024 * 1024;

export interface LoadProgress {
  /** Tells of bytes that were read from the archive, at most every fifth of a second. */
  onBytes(): void;
  /** Tells of tasks that are done. */
  onDone(tasks: readonly Task[]): void;
}

/** Reports rows' bytes with rate and time left, then indexes and constraints by number. */
export function createProgress(context: RestoreContext, tasks: readonly Task[]): LoadProgress {
  const loads = tasks.filter(({ step }) => step.kind !== "sql");
  const others = tasks.length - loads.length;
  const known = new Map(
    context.archive.manifest?.tables.map(({ file, rawBytes }) => [file.replace(/\.(gz|lz4|zst)$/, ""), rawBytes]),
  );
  const left = new Map(loads.map((task) => [task, task.weight]));
  const begun = performance.now();
  const before = context.counts.bytes;
  const done = { stored: 0, raw: 0, others: 0 };
  let told = 0;

  const totalBytes = () => {
    if (known.size > 0) return [...known.values()].reduce((sum, bytes) => sum + bytes, 0);
    const ratio =
      context.archive.toc.compression === "none"
        ? 1
        : (usualRatio * trustedAfter + done.raw) / (trustedAfter + done.stored);
    const stored = [...left.values()].reduce((sum, bytes) => sum + bytes, 0);
    return Math.max(
      context.counts.bytes,
      Math.round(context.counts.bytes * 1.01),
      Math.round(done.raw + stored * ratio),
    );
  };
  const tell = (progress: Progress) => {
    told = performance.now();
    context.report(progress);
  };
  const rows = (): Progress => {
    const bytes = context.counts.bytes;
    const total = totalBytes();
    const perMs = (bytes - before) / Math.max(1, performance.now() - begun);
    const seconds = perMs === 0 ? null : Math.round((total - bytes) / perMs / 1000);
    const rate = `${(perMs / 1000).toFixed(1)} MB/s`;
    return {
      phase: "restore",
      message: `rows at ${rate}${seconds === null ? "" : `, about ${seconds} s left`}`,
      done: bytes,
      total,
      unit: "bytes",
    };
  };
  return {
    onBytes: () => {
      if (performance.now() - told >= everyMs) tell(rows());
    },
    onDone: (finished) => {
      for (const task of finished) {
        if (task.step.kind === "sql") done.others += 1;
        else {
          done.stored += task.weight;
          left.delete(task);
        }
      }
      done.raw = left.size === 0 ? context.counts.bytes : Math.max(done.raw, context.counts.bytes - inFlight(left));
      if (performance.now() - told < everyMs) return;
      const last = finished.at(-1)!.step;
      if (left.size > 0) tell(rows());
      else
        tell({
          phase: "restore",
          message: `${last.entry.desc.toLowerCase()} ${last.entry.tag}`,
          done: done.others,
          total: others,
        });
    },
  };
}

/** What of the bytes read so far may belong to tables that are not finished. */
function inFlight(left: ReadonlyMap<Task, number>): number {
  return Math.max(0, ...left.values()) * usualRatio;
}
