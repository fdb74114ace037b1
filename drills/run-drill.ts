import type { Manifest } from "../shared/archive/types.ts";
import { requireVerified } from "../shared/archive/verify.ts";
import { sealRecordsApart } from "../shared/audit/seal-records.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError, isBelayError } from "../shared/errors.ts";
import { createScratch, newScratchName, type ScratchDatabase } from "../shared/postgres/scratch.ts";
import { withSession } from "../shared/with-session.ts";
import { explainError } from "./blame.ts";
import { count, failed, passed } from "./checks/check.ts";
import { chooseArchive } from "./choose.ts";
import { type BegunDrill, beginDrill, finishDrill, noteScratch } from "./record.ts";
import { restoreAndCheck } from "./restore-and-check.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { DrillReport } from "./types.ts";
import { type CheckOutcome, runCheck, verdictOf } from "./verdict.ts";

export interface DrillRequest {
  /** An archive's id, `latest` (the newest) or `random` (any older one). */
  readonly archiveId: string;
  readonly schedule?: string;
  readonly dueAt?: Date;
}

export interface RunningDrill extends BegunDrill {
  /** Settles with the report; a drill that did not pass is a report, not an error. */
  readonly finished: Promise<DrillReport>;
}

/** Restores an archive into a scratch database, checks it, records the verdict and drops the database. */
export async function runDrill(belay: Belay, request: DrillRequest): Promise<DrillReport> {
  return (await startDrill(belay, request)).finished;
}

/** As runDrill, but returns once the drill is on record. Throws `unknown_archive`, and `usage` for a minute already drilled. */
export async function startDrill(belay: Belay, request: DrillRequest): Promise<RunningDrill> {
  const archiveId = await chooseArchive(belay.store, request.archiveId);
  const start = { archiveId, schedule: request.schedule ?? null, dueAt: request.dueAt ?? null };
  const begun = await withSession(belay, "belay drill", ({ sql }) => beginDrill(sql, belay.actor, start));
  if (begun === null)
    throw new BelayError("usage", `the schedule ${request.schedule} has a drill for that minute already`);
  return { ...begun, finished: performDrill(belay, begun, { ...request, archiveId }) };
}

/** Does the work of a drill that is on record. */
export async function performDrill(belay: Belay, begun: BegunDrill, request: DrillRequest): Promise<DrillReport> {
  const watch = new Stopwatch();
  const found = await examine(belay, begun.drillId, request.archiveId, watch);
  const { verdict, summary } = verdictOf(found.outcomes);
  const report: DrillReport = {
    drillId: begun.drillId,
    archiveId: found.archiveId,
    schedule: request.schedule ?? null,
    dueAt: request.dueAt?.toISOString() ?? null,
    verdict,
    summary: found.leftBehind === null ? summary : `${summary}; ${found.leftBehind}`,
    scratchDatabase: found.scratchDatabase,
    checks: found.outcomes.map(({ blame: _, ...check }) => check),
    phases: watch.phases,
    actor: belay.actor,
    startedAt: begun.startedAt,
    finishedAt: belay.now().toISOString(),
  };
  await finishDrill(belay, report);
  await sealRecordsApart(belay);
  return report;
}

interface Examination {
  readonly archiveId: string;
  readonly scratchDatabase: string | null;
  readonly outcomes: readonly CheckOutcome[];
  /** What could not be cleaned up, in words. */
  readonly leftBehind: string | null;
}

async function examine(belay: Belay, drillId: string, wanted: string, watch: Stopwatch): Promise<Examination> {
  let archiveId = wanted;
  let scratch: ScratchDatabase | null = null;
  let scratchDatabase: string | null = null;
  const outcomes: CheckOutcome[] = [];
  let leftBehind: string | null = null;
  try {
    archiveId = await watch.time("choose", () => chooseArchive(belay.store, wanted));
    const manifest = await watch.time("decode", () => decode(belay, archiveId, outcomes));
    if (manifest !== null) {
      scratchDatabase = newScratchName();
      await noteScratch(belay, drillId, archiveId, scratchDatabase);
      scratch = await watch.time("scratch", () => createScratch(belay, drillId, scratchDatabase!));
      outcomes.push(...(await restoreAndCheck({ belay, archiveId, manifest, scratch }, watch)));
    }
  } catch (error) {
    outcomes.push(await runCheck("environment", () => Promise.reject(error), couldNotTell));
  } finally {
    if (scratch !== null)
      leftBehind = await watch
        .time("drop", scratch.drop)
        .then(() => null)
        .catch(() => `the scratch database ${scratchDatabase} could not be dropped`);
  }
  return { archiveId, scratchDatabase, outcomes, leftBehind };
}

/** Reads and decodes every byte; null when that already turned the drill red. */
async function decode(belay: Belay, archiveId: string, outcomes: CheckOutcome[]): Promise<Manifest | null> {
  let manifest: Manifest | null = null;
  const outcome = await runCheck(
    "decode",
    async () => {
      const verified = await requireVerified(belay.store, archiveId);
      manifest = verified;
      const bytes = verified.objects.reduce((sum, object) => sum + object.bytes, 0);
      return passed(`${count(verified.objects.length, "object")}, ${count(bytes, "byte")} decoded and hashed`);
    },
    explainError,
  );
  outcomes.push(outcome);
  return outcome.state === "passed" ? manifest : null;
}

function couldNotTell(error: unknown) {
  const message = isBelayError(error) ? error.message : "the drill itself failed";
  return failed(message, "inconclusive");
}
