import { quoteIdent } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import { describeDatabase } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";
import { tableKey } from "../../read/plain/names.ts";
import { type PlainSurvey, surveyPlain } from "../../read/plain/survey.ts";
import type { PlainArchive } from "../../read/types.ts";
import { createClock } from "../clock.ts";
import { databaseName } from "../create-database.ts";
import { analyzeAll } from "../finish/analyze.ts";
import { requireEnvironment } from "../preflight/environment.ts";
import { requireRoom } from "../preflight/preflight.ts";
import type { RestoreReport, RestoreRequest } from "../types.ts";
import { createHelper } from "./helper.ts";
import { runScript } from "./run-script.ts";
import type { ScriptProgress } from "./script-error.ts";
import { asPsql, openScriptSession, readUnknownSettings } from "./script-session.ts";
import { waitForDisk } from "./wait-for-disk.ts";

const usualJobs = 2;
/** Rows from which on it is looked whether a second session can help. */
const manyRows = 5000;

export type PlainRestore = RestoreRequest & { readonly archive: PlainArchive };

/**
 * Runs a plain SQL script in a database as psql with ON_ERROR_STOP would. The whole script is read once before: what
 * would be refused, is cut, or needs a role or an extension that is not there, is said before anything runs. See
 * restoreArchive for the errors.
 */
export async function restorePlain(request: PlainRestore): Promise<RestoreReport> {
  const { archive, url, analyze = true } = request;
  const clock = createClock(request.report ?? (() => {}));
  refuseResume(request);
  const progress: ScriptProgress = { statements: 0, rows: 0, tables: 0, bytes: 0, transactionLine: null };
  const session = await openScriptSession(url);
  const helper = createHelper(url, request.jobs ?? usualJobs);
  try {
    clock.enter("preflight");
    const survey = await preflight(request, session, clock.report);
    const warnings = new Set<string>();
    clock.enter("schema");
    await runScript({
      archive,
      session,
      progress,
      helper,
      large: new Set(survey.tables.filter(({ rows }) => rows >= manyRows).map(tableKey)),
      context: {
        options: request,
        database: survey.database,
        made: request.made ? databaseName(url) : null,
        unknownSettings: await readUnknownSettings(session),
        serverVersion: session.serverVersion,
      },
      warn: (warning) => void (warnings.size < 100 && warnings.add(warning)),
      enter: (phase) => {
        if (phase === "rows" || clock.phases.some(({ name }) => name === "rows")) clock.enter(phase);
      },
      onBytes: (stored) => {
        const total = archive.bytes ?? undefined;
        clock.report({ phase: "restore", message: `${progress.rows} rows`, done: stored, total, unit: "bytes" });
      },
    });
    clock.enter("analyze");
    await asPsql(session);
    await session.run("SET synchronous_commit = on");
    if (analyze) for (const warning of await analyzeAll([session])) warnings.add(warning);
    await waitForDisk(session);
    clock.stop();
    const loading = clock.phases.find(({ name }) => name === "rows")?.milliseconds ?? 0;
    return {
      archive: archive.place.url,
      format: "plain",
      database: describeDatabase(url),
      resumed: false,
      entries: progress.statements,
      tables: progress.tables,
      rows: progress.rows,
      bytes: progress.bytes,
      phases: clock.phases,
      megabytesPerSecond: progress.bytes === 0 || loading === 0 ? null : progress.bytes / 1000 / loading,
      warnings: [...warnings],
    };
  } finally {
    await helper.close();
    await session.close();
  }
}

function refuseResume({ resume, archive }: PlainRestore): void {
  if (!resume) return;
  throw new BelayError("usage", `${archive.place.url} is plain SQL, and a script goes on from its beginning only`, {
    hint: "Drop the database and restore again without --resume.",
  });
}

async function preflight(
  request: PlainRestore,
  session: Session,
  report: ReturnType<typeof createClock>["report"],
): Promise<PlainSurvey> {
  const { archive, url, owners = true, grants = true, tables } = request;
  const place = describeDatabase(url);
  if (tables === undefined) await requireRoom(session, place, request);
  else await requireTables(session, tables);
  const total = archive.bytes ?? undefined;
  const survey = await surveyPlain(archive, {
    onBytes: (stored) =>
      report({ phase: "restore", message: "reading the script", done: stored, total, unit: "bytes" }),
  });
  requireSound(archive, survey);
  if (tables === undefined)
    await requireEnvironment(session, {
      roles: owners || grants ? survey.roles : [],
      extensions: survey.extensions.map((name) => ({ name })),
    });
  return survey;
}

/** Throws `archive_invalid` naming the first lines that would be refused, and for a script that pg_dump did not finish. */
function requireSound({ place }: PlainArchive, survey: PlainSurvey): void {
  const [first] = survey.problems;
  if (first !== undefined)
    throw new BelayError("archive_invalid", `${place.url}:${first.line}: ${first.why}`, {
      hint: `Nothing was changed. ${first.hint}`,
      details: { line: first.line, problems: survey.problems },
    });
  if (survey.complete === false)
    throw new BelayError("archive_invalid", `${place.url} was cut: pg_dump's closing line is not in it`, {
      hint: "Nothing was changed. Use another archive, or fetch this one again.",
    });
}

/** Rows of chosen tables alone: their definitions cannot be told from the rest of a script. */
async function requireTables(session: Session, tables: readonly string[]): Promise<void> {
  const names = tables.map((name) => {
    const at = name.indexOf(".");
    return `${quoteIdent(name.slice(0, at))}.${quoteIdent(name.slice(at + 1))}`;
  });
  const lacking = await session.sql<{ name: string }[]>`
    select name from unnest(${names}::text[]) as name where pg_catalog.to_regclass(name) is null`;
  if (lacking.length === 0) return;
  throw new BelayError(
    "restore_target",
    `the database has no table ${lacking.map(({ name }) => name).join(", ")}, and from plain SQL only rows can be restored alone`,
    { hint: "Nothing was changed. Make the tables first, or use an archive in directory or custom format." },
  );
}
