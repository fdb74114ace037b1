import { parseSettings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { soloPolicy } from "../support/policy.ts";

/** Undoes and stops for ever at the n-th read of a table's data, for the test to kill: `node undo-child.ts URL FOLDER MIGRATION N`. */
const [url, folder, migration, stopAt] = process.argv.slice(2) as [string, string, string, string];
const store = createFolderStore(folder);
let reads = 0;
const belay: Belay = {
  settings: parseSettings({ database: url, policy: soloPolicy }),
  actor: "killed",
  openSession: (options) => openSession(url, options),
  store: {
    ...store,
    read: async function* (key) {
      const stop = key.endsWith(".dat.gz") && ++reads === Number(stopAt);
      for await (const chunk of store.read(key)) {
        yield chunk.subarray(0, 1);
        if (stop) {
          console.log("reached");
          await new Promise((resolve) => setTimeout(resolve, 600_000));
        }
        yield chunk.subarray(1);
      }
    },
  },
  scratchUrl: null,
  report: () => {},
  now: () => new Date(),
};
await undoRollback(belay, { migration, reason: "to be killed" });
