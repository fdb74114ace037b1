import { readFileSync } from "node:fs";
import { parseSettings } from "../shared/config.ts";
import type { Belay } from "../shared/context.ts";
import { openSession } from "../shared/postgres/session.ts";
import { executeRollback } from "../shared/rollback/execute/execute.ts";
import { completePolicy } from "../shared/rollback/plan/policy.ts";
import type { PreserveMode, RollbackReport } from "../shared/rollback/types.ts";
import { createFolderStore } from "../shared/store/folder.ts";

/** What one rollback took. */
export interface Answer {
  readonly report: RollbackReport;
  /** Rows of the table in the archive, or where it was moved to. */
  readonly keptRows: number;
  /** Bytes. */
  readonly peakRss: number;
}

/** For bench/lock-time.ts: rolls one migration back, in a process of its own. */
const [url, folder, migration, preserve] = process.argv.slice(2) as [string, string, string, PreserveMode];
const policy = completePolicy({ gates: { approved: "advised" }, growth: { percent: 100_000 } });
const belay: Belay = {
  settings: parseSettings({ database: url, policy }),
  actor: "bench",
  openSession: (options) => openSession(url, options),
  store: createFolderStore(folder),
  scratchUrl: null,
  report: () => {},
  now: () => new Date(),
};
const report = await executeRollback(belay, { migration, preserve, reason: "bench" });
const keptRows = report.tables.find(({ table }) => table === "orders")?.rows ?? (await countMoved());
process.send!({ report, keptRows, peakRss: peakRss() } satisfies Answer);

async function countMoved(): Promise<number> {
  const session = await openSession(url);
  const [moved] = await session.sql`
    select format('select count(*)::int as rows from %I.%I', n.nspname, c.relname) as query
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relname like '%orders%' and n.nspname like 'belay_%'`;
  const [count] = await session.run(moved!.query);
  await session.close();
  return count!.rows;
}

// Not ru_maxrss, which counts the memory of the process that forked this one.
function peakRss(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
}
