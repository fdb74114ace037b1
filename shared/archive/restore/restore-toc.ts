import { keptSchemasWords } from "../../catalog/kept-schemas.ts";
import { describeDatabase } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { TocArchive } from "../read/types.ts";
import { createClock } from "./clock.ts";
import type { RestoreContext } from "./execute/context.ts";
import { indexMemory } from "./execute/memory.ts";
import { createProgress } from "./execute/progress.ts";
import { openRestoreSession } from "./execute/sessions.ts";
import { runStages } from "./execute/stages.ts";
import { beginState, claimRestore, type RestoreState, resumeState } from "./execute/state.ts";
import { openWorkers } from "./execute/workers.ts";
import { majorsOf, planChecked } from "./preflight/toc.ts";
import type { RestoreReport, RestoreRequest } from "./types.ts";

export type TocRestore = RestoreRequest & { readonly archive: TocArchive };

const usualJobs = 2;

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
    const plan = await planChecked(request, control);
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
      warnings: [
        ...plan.leftOut,
        ...keptSchemasWords(archive.toc.entries.map(({ desc, tag }) => ({ kind: desc ?? "", name: tag ?? "" }))),
      ],
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
    await runStages(request, plan, sessions, context, { clock, progress });
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

/** An archive that does not say is read as pg_restore reads it: backslashes escape. */
function standardStrings({ toc }: TocArchive): boolean {
  const entry = toc.entries.find(({ desc }) => desc === "STDSTRINGS");
  return entry?.defn?.includes("'on'") ?? false;
}
