import { openArchive } from "../shared/archive/read/open.ts";
import { restoreArchive } from "../shared/archive/restore/restore.ts";
import type { Manifest } from "../shared/archive/types.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { setUpScratch } from "../shared/migrations/sync/replay.ts";
import { identityOf, sameDatabase } from "../shared/postgres/identity.ts";
import type { ScratchDatabase } from "../shared/postgres/scratch.ts";
import { withSession } from "../shared/with-session.ts";
import { explainError } from "./blame.ts";
import { catalogCheck } from "./checks/catalog.ts";
import type { Check, CheckContext } from "./checks/check.ts";
import { count, type Finding, failed, passed } from "./checks/check.ts";
import { countsCheck } from "./checks/counts.ts";
import { digestsCheck } from "./checks/digests.ts";
import { environmentCheck } from "./checks/environment.ts";
import { foreignKeysCheck } from "./checks/foreign-keys.ts";
import { sequencesCheck } from "./checks/sequences.ts";
import { tablesCheck } from "./checks/tables.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { type CheckOutcome, runCheck } from "./verdict.ts";

/** What a restored copy must stand, in order. */
export const checksAfterRestore: readonly Check[] = [
  tablesCheck,
  countsCheck,
  digestsCheck,
  catalogCheck,
  sequencesCheck,
  foreignKeysCheck,
];

interface Restoration {
  readonly belay: Belay;
  readonly archiveId: string;
  readonly manifest: Manifest;
  readonly scratch: ScratchDatabase;
}

/** Restores into the scratch database and runs every check; after a failed restore the others are skipped. */
export async function restoreAndCheck(restoration: Restoration, watch: Stopwatch): Promise<CheckOutcome[]> {
  const { belay, archiveId, manifest, scratch } = restoration;
  await refuseSource(belay, manifest, scratch);
  refuseTooLarge(belay, manifest);
  const context: CheckContext = { belay, archiveId, manifest, scratch: scratch.session, scratchUrl: scratch.url };
  const run = (check: Check) => runCheck(check.name, () => check.run(context), explainError);

  const platform =
    manifest.profile === "supabase" ? await runCheck("environment", () => setUp(context), explainError) : null;
  const environment = platform?.state === "failed" ? platform : await run(environmentCheck);
  if (environment.state !== "passed") return [environment, skipped("restore"), ...checksAfterRestore.map(skippedCheck)];
  const restore = await watch.time("restore", () => runCheck("restore", () => restoreInto(context), explainError));
  if (restore.state !== "passed") return [environment, restore, ...checksAfterRestore.map(skippedCheck)];
  const outcomes = [environment, restore];
  await watch.time("check", async () => {
    for (const check of checksAfterRestore) {
      belay.report({ phase: "drill", message: `checking ${check.name}`, unit: "checks" });
      outcomes.push(await run(check));
    }
  });
  return outcomes;
}

/** An archive without the platform's own schemas needs them made first, as every Supabase project has them. */
async function setUp({ belay, scratch }: CheckContext): Promise<Finding> {
  if (belay.settings.scratchSetup === undefined)
    return failed(
      "the archive is without the platform's own schemas: name a file that makes them in BELAY_SCRATCH_SETUP, or dump with --profile all",
      "environment_mismatch",
    );
  await setUpScratch(belay, scratch);
  return passed("the scratch setup made the platform's schemas");
}

async function restoreInto({ belay, archiveId, manifest, scratchUrl }: CheckContext) {
  const { entries, rows } = await restoreArchive({
    intoNonEmpty: manifest.profile === "supabase",
    archive: await openArchive(archiveId, { store: belay.store }),
    url: scratchUrl,
    report: (progress) => belay.report(progress),
  });
  return passed(`${count(entries, "entry", "entries")} and ${count(rows, "row")} restored without an error`);
}

/** The restored database must be neither the archive's source nor the database that Belay looks after. */
async function refuseSource(belay: Belay, manifest: Manifest, scratch: ScratchDatabase): Promise<void> {
  const target = await identityOf(scratch.session);
  const own = await withSession(belay, "belay drill", identityOf);
  if (!sameDatabase(target, manifest.source) && !sameDatabase(target, own)) return;
  throw new BelayError("scratch_unavailable", "the scratch database is the source itself", {
    hint: "Set BELAY_SCRATCH_URL to another server.",
  });
}

function refuseTooLarge(belay: Belay, manifest: Manifest): void {
  const budget = belay.settings.archiveBudgetBytes;
  const raw = manifest.tables.reduce((sum, table) => sum + table.rawBytes, 0);
  if (budget === null || raw <= budget) return;
  throw new BelayError("needs_worker", `the archive holds ${raw} bytes of rows, and this place may restore ${budget}`, {
    hint: "Run `belay drill` where there is no such limit.",
  });
}

function skippedCheck(check: Check): CheckOutcome {
  return skipped(check.name);
}

function skipped(name: Check["name"]): CheckOutcome {
  return {
    name,
    state: "skipped",
    evidence: "not run: an earlier check did not pass",
    milliseconds: 0,
    blame: undefined,
  };
}
