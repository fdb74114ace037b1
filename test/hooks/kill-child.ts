import { parseSettings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { soloPolicy } from "../support/policy.ts";

/** Rolls back and stops for ever at one point, for the test to kill: `node kill-child.ts URL FOLDER MIGRATION POINT SETTINGS`. */
const [url, folder, migration, point, settings] = process.argv.slice(2) as [string, string, string, string, string];
const belay: Belay = {
  settings: parseSettings({ database: url, policy: soloPolicy, ...JSON.parse(settings) }),
  actor: "killed",
  openSession: (options) => openSession(url, options),
  store: createFolderStore(folder),
  scratchUrl: null,
  report: () => {},
  now: () => new Date(),
};
await rollBackWithHooks(belay, { migration, reason: "to be killed", maintenance: true }, async (at) => {
  if (at !== point) return;
  console.log("reached");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
