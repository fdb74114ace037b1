import { isBelayError } from "../../errors.ts";
import { describeDatabase } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { TocArchive } from "../read/types.ts";
import { type Clock, createClock } from "./clock.ts";
import { databaseName } from "./create-database.ts";
import type { RestoreContext } from "./execute/context.ts";
import { runInOrder, runSchema } from "./execute/in-order.ts";
import { indexMemory } from "./execute/memory.ts";
import { createProgress, type LoadProgress } from "./execute/progress.ts";
import { runTasks } from "./execute/schedule.ts";
import { openRestoreSession } from "./execute/sessions.ts";
import { beginState, claimRestore, type RestoreState, resumeState, shareRestore } from "./execute/state.ts";
import { analyzeAll } from "./finish/analyze.ts";
import { finishRestore } from "./finish/last.ts";
import { unsoundObjects } from "./finish/objects.ts";
import { sequencesBehind } from "./finish/sequences.ts";
import { databaseSteps } from "./plan/database.ts";
import { planRestore } from "./plan/plan.ts";
import { selectTables } from "./plan/select.ts";
import type { RestorePlan, Task } from "./plan/types.ts";
import { requireAbsent } from "./preflight/absent.ts";
import { olderExtensions, requireEnvironment } from "./preflight/environment.ts";
import { majorOf, readServerFacts, requireRoom } from "./preflight/preflight.ts";
import { requireOwners } from "./preflight/rights.ts";
import { refuseSource } from "./preflight/source.ts";
import { needsOf } from "./preflight/toc-needs.ts";
import type { RestoreReport, RestoreRequest } from "./types.ts";

export type TocRestore = RestoreRequest & { readonly archive: TocArchive };

const usualJobs = 2;
const tooManyConnections = "53300";

/** Restores an archive with a table of contents; see restoreArchive. */
export async function restoreToc(request: TocRestore): Promise<RestoreReport> {
  const { archive, url } = request;
  const clock = createClock(request.report ?? (() => {}));
  const parameters = { standard_conforming_strings: standardStrings(archive) ? "on" : "off" };
  const control = await openRestoreSession(url, parameters);
  const sessions: Session[] = [control];
  try {
    clock.enter("preflight");
    await claimRestore(control, (message) => clock.report({ phase: "restore", message }));
    const plan = await preflight(request, control);
    const { resume } = request;
    const state = resume ? await resumeState(control, archive, request) : await beginState(control, archive, request);
    const kept = countKept(archive, state);
    const jobs = Math.max(1, request.jobs ?? usualJobs);
    const memory = request.indexMemoryBytes ?? (await indexMemory(control, jobs));
    const context: RestoreContext = {
      archive,
      state,
      finished: new Set(state.done.keys()),
      encoding: archive.toc.encoding,
      majors: majorsOf(archive, control),
      intoNonEmpty: request.intoNonEmpty ?? false,
      warnings: [...plan.leftOut],
      counts: { ...kept },
      report: clock.report,
      onBytes: (count) => {
        context.counts.bytes += count;
        progress.onBytes();
      },
    };
    const progress = createProgress(
      context,
      plan.tasks.filter(({ step }) => !context.finished.has(step.entry.dumpId)),
    );
    const worker = { ...parameters, maintenance_work_mem: `${Math.floor(memory / 1024)}kB` };
    sessions.push(...(await openWorkers(url, jobs, worker, context)));
    await execute(request, plan, sessions, context, { clock, progress });
    const { counts, warnings } = context;
    const loading = clock.phases.find(({ name }) => name === "rows")?.milliseconds ?? 0;
    return {
      archive: archive.place.url,
      format: archive.format,
      database: describeDatabase(url),
      resumed: state.resumed,
      ...counts,
      phases: clock.phases,
      megabytesPerSecond:
        counts.bytes === kept.bytes || loading === 0 ? null : (counts.bytes - kept.bytes) / 1000 / loading,
      warnings,
    };
  } finally {
    await Promise.allSettled(sessions.map((session) => session.close()));
  }
}

async function preflight(request: TocRestore, session: Session): Promise<RestorePlan> {
  const { archive, url, tables, owners = true, grants = true, rows = true } = request;
  await refuseSource(session, archive.manifest);
  if (!request.resume) await requireRoom(session, describeDatabase(url), request);
  const facts = await readServerFacts(session);
  const { entries } = archive.toc;
  const selection = tables === undefined ? null : selectTables(entries, tables);
  const wanted = selection === null ? entries : entries.filter(({ dumpId }) => selection.ids.has(dumpId));
  const noted = selection === null ? archive.manifest : null;
  const needs = needsOf(wanted, noted, { owners, grants });
  await requireEnvironment(session, needs);
  if (selection !== null && !request.resume) await requireAbsent(session, selection.tables);
  if (owners) await requireOwners(session, wanted, facts.self);
  const plan = planRestore(archive.toc, {
    owners,
    grants,
    rows,
    self: facts.self,
    serverVersion: session.serverVersion,
    selected: selection?.ids ?? null,
    tablespaces: facts.tablespaces,
    dataBytes: (entry) => archive.dataBytes(entry),
  });
  const notes = [...newerSource(archive, session), ...(await olderExtensions(session, needs))];
  return { ...plan, leftOut: [...notes, ...(selection?.leftOut ?? []), ...plan.leftOut] };
}

async function execute(
  { archive, url, made, owners = true, grants = true, analyze = true }: TocRestore,
  plan: RestorePlan,
  [control, ...workers]: readonly Session[],
  context: RestoreContext,
  { clock, progress }: { readonly clock: Clock; readonly progress: LoadProgress },
): Promise<void> {
  clock.enter("schema");
  await runSchema([control!, ...workers], plan.before, context);
  clock.enter("rows");
  let loads = plan.tasks.filter(isLoad).filter(({ step }) => !context.finished.has(step.entry.dumpId)).length;
  if (loads === 0) clock.enter("indexes");
  await runTasks(workers, plan.tasks, context, (tasks) => {
    progress.onDone(tasks);
    const loaded = tasks.filter(isLoad).length;
    loads -= loaded;
    if (loaded > 0 && loads === 0) clock.enter("indexes");
  });
  clock.enter("finish");
  await runInOrder(control!, plan.grants, context);
  await runTasks(workers, plan.refreshes, context);
  context.warnings.push(...(await sequencesBehind(control!)));
  context.warnings.push(...(await unsoundObjects(control!, archive.toc.entries)));
  if (analyze) {
    clock.enter("analyze");
    await analyzeAll(workers);
  }
  clock.enter("finish");
  if (made) await runInOrder(control!, databaseSteps(archive.toc, databaseName(url), { owners, grants }), context);
  await finishRestore(control!, plan.last, context);
  clock.stop();
}

/** As many sessions as asked for, or as the server lets in: one at least. */
async function openWorkers(
  url: string,
  jobs: number,
  parameters: Readonly<Record<string, string>>,
  context: RestoreContext,
): Promise<Session[]> {
  const workers: Session[] = [];
  while (workers.length < jobs) {
    try {
      const session = await openRestoreSession(url, parameters);
      workers.push(session);
      await shareRestore(session);
    } catch (error) {
      const full = isBelayError(error) && error.details.sqlstate === tooManyConnections;
      if (full && workers.length > 0) {
        context.warnings.push(`the server let in only ${workers.length} of ${jobs} sessions`);
        break;
      }
      await Promise.allSettled(workers.map((worker) => worker.destroy()));
      throw error;
    }
  }
  return workers;
}

function majorsOf({ toc }: TocArchive, { serverVersion }: Session) {
  return { from: majorOf(toc.serverVersion), into: Math.floor(serverVersion / 10_000) };
}

function newerSource(archive: TocArchive, session: Session): string[] {
  const { from, into } = majorsOf(archive, session);
  return from > into
    ? [`the archive comes from PostgreSQL ${from}, this server is ${into}: what only the newer one knows fails`]
    : [];
}

/** What an earlier, cut-off run had done. */
function countKept({ toc }: TocArchive, { done }: RestoreState) {
  const counts = { entries: 0, tables: 0, rows: 0, bytes: 0 };
  for (const { dumpId, desc } of toc.entries) {
    const entry = done.get(dumpId);
    if (entry === undefined) continue;
    counts.entries += 1;
    counts.tables += desc === "TABLE DATA" ? 1 : 0;
    counts.rows += entry.rows;
    counts.bytes += entry.bytes;
  }
  return counts;
}

function isLoad({ step }: Task): boolean {
  return step.kind !== "sql";
}

/** An archive that does not say is read as pg_restore reads it: backslashes escape. */
function standardStrings({ toc }: TocArchive): boolean {
  const entry = toc.entries.find(({ desc }) => desc === "STDSTRINGS");
  return entry?.defn?.includes("'on'") ?? false;
}
