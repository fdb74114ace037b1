import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../shared/config.ts";
import type { Belay } from "../shared/context.ts";
import { listMigrations } from "../shared/migrations/ledger/status.ts";
import { openSession } from "../shared/postgres/session.ts";
import { planRollback } from "../shared/rollback/plan/plan-rollback.ts";
import { createFolderStore } from "../shared/store/folder.ts";

/** What one planning took. */
export interface Answer {
  readonly ms: number;
  /** Bytes, of the whole process so far. */
  readonly peakRss: number;
}

/** For bench/plan.ts: plans a rollback, or lists the ledger where no migration is named, as often as it is told to. */
const [url, migration] = process.argv.slice(2) as [string, string];
const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const belay: Belay = {
  settings: parseSettings({ database: url }),
  actor: "bench",
  openSession: (options) => openSession(url, options),
  store: createFolderStore(folder),
  scratchUrl: null,
  report: () => {},
  now: () => new Date(),
};

process.on("message", async () => {
  const start = performance.now();
  await (migration === "" ? listMigrations(belay) : planRollback(belay, { migration }));
  process.send!({ ms: performance.now() - start, peakRss: peakRss() } satisfies Answer);
});

// Not ru_maxrss, which counts the memory of the process that forked this one.
function peakRss(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
}
