import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import { notesOnceUndone } from "../../migrations/tracking/tables.ts";
import type { Observe } from "../execute/types.ts";
import { type AroundRequest, surround } from "../hooks/around.ts";
import { within } from "../hooks/attempts.ts";
import { type Journal, openJournal } from "../hooks/journal.ts";
import type { Ending } from "../hooks/message.ts";
import type { Around } from "../hooks/types.ts";
import type { RollbackReport } from "../types.ts";
import { keepIncident } from "./keep.ts";
import { settleAround } from "./settle.ts";
import type { IncidentPlace, Ran } from "./types.ts";

export interface Work {
  run(observe: Observe): Promise<RollbackReport>;
  /** What the policy wants done about health checks that fail after the COMMIT; null: nothing. */
  undo(report: RollbackReport, around: Around): Promise<Ran["policyUndo"]>;
}

/**
 * Runs a rollback or an undo with its hooks, health checks, messages and incident report. Throws what the work throws, with
 * the rollback's id among the details; nothing around it makes it fail but a before hook that the policy waits for.
 */
export async function runWithHooks(belay: Belay, asked: AroundRequest, work: Work, observe: Observe): Promise<Ran> {
  const journal = openJournal(belay);
  const surroundings = surround(belay, asked, journal, observe);
  try {
    const { report, failure } = await outcomeOf(() => work.run(surroundings.observe));
    const { begun } = surroundings;
    if (begun === null) throw failure;
    if (isBelayError(failure, "connection_lost")) journal.renew();
    const ending = endingOf(report, failure);
    const around = await surroundings.end(ending);
    const undone = report === null ? null : await work.undo(report, around);
    const last = { ...ending, health: around.health.verdict, undoFailed: undone?.outcome === "failed" };
    await surroundings.tell(report === null ? "failed" : undone?.outcome === "committed" ? "undone" : "done", last);
    journal.note({ event: "around", details: around });
    const incident = await writeDown(belay, journal, begun.rollbackId);
    if (report === null) throw withReport(failure, begun.rollbackId, surroundings.ready);
    const back = undone?.outcome === "committed";
    return {
      ...report,
      outcome: back ? "undone" : report.outcome,
      notes: back ? notesOnceUndone(report.notes, report.migrations ?? [report.migration]) : report.notes,
      around,
      policyUndo: undone,
      incident: { ...incident, notes: [...journal.notes, ...incident.notes] },
    };
  } finally {
    await journal.close();
  }
}

async function outcomeOf(run: () => Promise<RollbackReport>) {
  try {
    return { report: await run(), failure: null };
  } catch (failure) {
    return { report: null, failure };
  }
}

function endingOf(report: RollbackReport | null, failure: unknown): Ending {
  if (report !== null) return { outcome: "committed", report, errorCode: null, health: null };
  const unknown = isBelayError(failure) && failure.details.outcome === "unknown";
  return {
    outcome: unknown ? "unknown" : "failed",
    report: null,
    errorCode: isBelayError(failure) ? failure.code : "internal",
    health: null,
  };
}

const patienceMs = 60_000;

/** Its own report first, then what earlier runs owe. A database that is away leaves both to the next run. */
async function writeDown(belay: Belay, journal: Journal, rollbackId: string): Promise<IncidentPlace> {
  await journal.flush();
  const away = (): IncidentPlace => ({
    rollbackId,
    recorded: false,
    stored: null,
    notes: [
      `the incident report is not written yet: the next run writes it, \`belay incident ${rollbackId}\` shows it`,
    ],
  });
  const work = journal.on((session) => keepIncident(belay, session, rollbackId)).catch(away);
  const place = await within(patienceMs, work, away);
  const settled = journal.on((session) => settleAround(belay, session)).catch(() => {});
  await within<void>(patienceMs, settled, () => {});
  return place;
}

function withReport(failure: unknown, rollbackId: string, begun: boolean): unknown {
  if (!isBelayError(failure)) return failure;
  const { code, message, details, cause } = failure;
  const where = begun ? `The incident report: belay incident ${rollbackId}` : null;
  const hint = [failure.hint, where].filter((each) => each != null).join(" ");
  return new BelayError(code, message, {
    ...(hint === "" ? {} : { hint }),
    details: { ...details, rollbackId },
    cause,
  });
}
