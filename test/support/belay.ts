import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { parseSettings, type Settings } from "../../shared/config.ts";
import type { Belay, Progress } from "../../shared/context.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { soloPolicy } from "./policy.ts";

export interface TestBelayOptions {
  /** URL of the target database. */
  readonly database: string;
  /** Default: a folder store in a new temporary folder, removed after the test. */
  readonly store?: ObjectStore;
  /** URL of a server where scratch databases may be created; default: none. */
  readonly scratch?: string;
  readonly actor?: string;
  /** Id of a signed-in user. */
  readonly subject?: string;
  readonly settings?: Partial<Settings>;
  readonly report?: (progress: Progress) => void;
}

/** The adapters of a verb, for a test. */
export function testBelay(options: TestBelayOptions): Belay {
  const settings = parseSettings({
    database: options.database,
    scratch: options.scratch,
    actor: options.actor ?? "tester",
    policy: soloPolicy,
    ...options.settings,
  });
  return {
    settings,
    actor: settings.actor,
    ...(options.subject === undefined ? {} : { subject: options.subject }),
    openSession: (session) => openSession(options.database, { applicationName: "belay-test", ...session }),
    store: options.store ?? createFolderStore(temporaryFolder()),
    scratchUrl: options.scratch ?? null,
    report: options.report ?? (() => {}),
    now: () => new Date(),
  };
}

/** A new folder, removed after the test, or at the latest after the run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(runFolder(), "belay-test-"));
  try {
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  } catch {
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  }
  return folder;
}

/** Workers are ended without their exit handlers: the run's own folder goes with the run. */
function runFolder(): string {
  try {
    return inject("temporaryFolder") ?? tmpdir();
  } catch {
    return tmpdir();
  }
}
