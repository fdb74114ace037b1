import { parseSettings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { faultyStore } from "../support/faults.ts";
import { soloPolicy } from "../support/policy.ts";

/** Rolls back and stops for ever at one point, for the test to kill: `node kill-child.ts URL FOLDER MIGRATION POINT`. */
const [url, folder, migration, point] = process.argv.slice(2) as [string, string, string, string];
const forever = new Promise<void>((resolve) => setTimeout(resolve, 600_000));
const reached = () => console.log("reached");

const store = createFolderStore(folder);
const belay: Belay = {
  settings: parseSettings({ database: url, policy: soloPolicy }),
  actor: "killed",
  openSession: (options) => openSession(url, options),
  store: point === "upload" ? faultyStore(store, { pauseWrite: { key: ".dat.gz", until: forever, reached } }) : store,
  scratchUrl: null,
  report: () => {},
  now: () => new Date(),
};
await executeRollback(belay, { migration, reason: "to be killed" }, async (at) => {
  if (at !== point) return;
  reached();
  await forever;
});
