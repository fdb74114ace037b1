import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../../shared/config.ts";
import type { Belay } from "../../../shared/context.ts";
import { openSession } from "../../../shared/postgres/session.ts";
import { createFolderStore } from "../../../shared/store/folder.ts";
import { soloPolicy } from "../../support/policy.ts";

/** The adapters for one database, with a store in a new temporary folder; the caller removes `place`. */
export function sweepBelay(database: string, scratch: string): { belay: Belay; place: string } {
  const place = mkdtempSync(join(tmpdir(), "belay-sweep-"));
  const settings = parseSettings({ database, scratch, policy: soloPolicy, actor: "sweep", criticalSectionMs: 60_000 });
  const belay: Belay = {
    settings,
    actor: settings.actor,
    openSession: (session) => openSession(database, { applicationName: "belay-sweep", ...session }),
    store: createFolderStore(place),
    scratchUrl: scratch,
    report: () => {},
    now: () => new Date(),
  };
  return { belay, place };
}
