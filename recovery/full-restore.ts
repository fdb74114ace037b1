import { randomBytes } from "node:crypto";
import { once } from "../shared/archive/digesting.ts";
import { appendAudit } from "../shared/audit.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { belayInstalled } from "../shared/install.ts";
import { inTransaction } from "../shared/migrations/transaction.ts";
import { databaseError } from "../shared/postgres/errors.ts";
import { openSession, type Session } from "../shared/postgres/session.ts";
import { withDatabase } from "../shared/postgres/url.ts";
import { withSession } from "../shared/with-session.ts";
import { gatherFacts } from "./facts.ts";
import { planFullRestore } from "./plan.ts";
import type { FullRestore } from "./state.ts";
import { stepWork, unwind } from "./steps.ts";
import type { FullRestoreReport, RunbookPlan, Step, StepOutcome } from "./types.ts";

export interface FullRestoreRequest {
  /** A whole-database archive of the store, or `latest`. */
  readonly archiveId: string;
  /** Database to be made on another server; default: beside the live one. */
  readonly into?: string;
  readonly jobs?: number;
  /** Of a plan that was shown: its names are kept. */
  readonly id?: string;
}

/** Who leads the restore: is asked before each step and hears what came of it. */
export interface Guide {
  /** False: stop here. */
  agree(step: Step, state: FullRestore): Promise<boolean>;
  heard(outcome: StepOutcome, state: FullRestore): void;
}

/** The plan of a full restore; changes nothing. */
export async function planRunbook(belay: Belay, request: FullRestoreRequest): Promise<RunbookPlan> {
  return await withSession(belay, "belay restore", async (live) => planFullRestore(await facts(belay, live, request)));
}

/**
 * Leads the full restore step by step. A step that fails, or that the guide declines, ends it: writers may write
 * again, and what was made stays. After the switch the former database stands aside, read only. The report is in the
 * store under `full-restores/`, and in the audit log of the database that is live then.
 */
export async function runFullRestore(
  belay: Belay,
  request: FullRestoreRequest & { readonly reason: string },
  guide: Guide,
): Promise<FullRestoreReport> {
  const startedAt = belay.now().toISOString();
  const open: Session[] = [];
  try {
    const state = await openState(belay, request, open);
    const outcomes = await walk(state, guide);
    const report = describe(state, request.reason, startedAt, outcomes);
    return { ...report, warnings: await putOnRecord(state, report) };
  } finally {
    await Promise.allSettled(open.map((session) => session.destroy()));
  }
}

async function facts(belay: Belay, live: Session, request: FullRestoreRequest) {
  const id = request.id ?? newId(belay.now());
  return await gatherFacts(belay, live, { archiveId: request.archiveId, sameServer: request.into === undefined, id });
}

function newId(now: Date): string {
  const time = now
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "")
    .toLowerCase();
  return `${time}_${randomBytes(2).toString("hex")}`;
}

async function openState(belay: Belay, request: FullRestoreRequest, open: Session[]): Promise<FullRestore> {
  const liveUrl = databaseUrl(belay);
  const openOne = async (url: string) => {
    const session = await openSession(url, { applicationName: "belay restore", parameters: { row_security: "off" } });
    open.push(session);
    await session.run("set statement_timeout = 0; set idle_session_timeout = 0");
    return session;
  };
  const [today, writer] = [await openOne(liveUrl), await openOne(liveUrl)];
  const found = await facts(belay, today, request);
  const plan = planFullRestore(found);
  const server = await openOne(withDatabase(liveUrl, plan.live === "postgres" ? "template1" : "postgres"));
  const besideUrl = request.into ?? withDatabase(liveUrl, plan.restored);
  const state: FullRestore = {
    ...{ belay, id: found.id, plan, manifest: found.manifest, jobs: request.jobs },
    ...{ server, today, writer, ownPids: [today.pid, writer.pid], besideUrl },
    ...{ todays: null, tables: [], newerRows: null, stoppedAt: null, switched: false, switchBack: [] },
    restoredUrl: () => (plan.sameServer && state.switched ? liveUrl : besideUrl),
    closeSessions: async () => {
      await Promise.allSettled([today.close(), writer.close()]);
    },
  };
  return state;
}

async function walk(state: FullRestore, guide: Guide): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  let ended = false;
  for (const step of state.plan.steps) {
    const outcome: StepOutcome = ended
      ? { name: step.name, state: "not_reached", seconds: 0, evidence: "" }
      : await take(step, state, guide);
    outcomes.push(outcome);
    if (!ended && (outcome.state === "failed" || outcome.state === "declined")) {
      ended = true;
      const undone = await unwind(state).catch((error) => databaseError(error).message);
      if (undone !== null) outcomes[outcomes.length - 1] = { ...outcome, evidence: `${outcome.evidence}; ${undone}` };
    }
    if (outcome.state !== "not_reached") guide.heard(outcomes[outcomes.length - 1]!, state);
  }
  return outcomes;
}

async function take(step: Step, state: FullRestore, guide: Guide): Promise<StepOutcome> {
  if (!(await guide.agree(step, state)))
    return { name: step.name, state: "declined", seconds: 0, evidence: "declined" };
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 100) / 10;
  try {
    const evidence = await stepWork[step.name](state);
    const byHand = step.name === "switch_over" && !state.plan.sameServer;
    return { name: step.name, state: byHand ? "by_hand" : "done", seconds: seconds(), evidence };
  } catch (error) {
    const known = databaseError(error, { doing: step.what });
    const next = known.hint === undefined ? "" : ` ${known.hint}`;
    return {
      name: step.name,
      state: "failed",
      seconds: seconds(),
      evidence: `[${known.code}] ${known.message}${next}`,
    };
  }
}

function describe(state: FullRestore, reason: string, startedAt: string, outcomes: StepOutcome[]): FullRestoreReport {
  const { belay, plan, todays, newerRows, switched, switchBack, stoppedAt } = state;
  return {
    format: "belay-full-restore/1",
    id: state.id,
    plan,
    actor: belay.actor,
    reason,
    startedAt,
    finishedAt: belay.now().toISOString(),
    switched,
    downtimeSeconds: stoppedAt === null ? null : Math.round((performance.now() - stoppedAt) / 100) / 10,
    outcomes,
    todaysArchive: todays?.id ?? null,
    newerRows,
    switchBack: [...switchBack],
    warnings: [],
  };
}

/** A store or database that fails now must not take the report, and with it the way back, from the person. */
async function putOnRecord(state: FullRestore, report: FullRestoreReport): Promise<string[]> {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  const key = `full-restores/${report.id}.json`;
  const write = () => state.belay.store.write(key, once(new TextEncoder().encode(text)), { createOnly: true });
  const places = [
    { place: "the store", put: write },
    { place: "the audit log", put: () => audit(state, report) },
  ];
  const warnings: string[] = [];
  for (const { place, put } of places)
    await put().catch((error) => warnings.push(`the report is not in ${place}: ${databaseError(error).message}`));
  return warnings;
}

/** On record where Belay is installed: after the switch that is the restored database. */
async function audit(state: FullRestore, report: FullRestoreReport): Promise<void> {
  const session = await openSession(report.switched ? state.restoredUrl() : databaseUrl(state.belay), {
    applicationName: "belay audit",
  });
  try {
    if (!(await belayInstalled(session))) return;
    await session.run("set default_transaction_read_only = off");
    const { actor, reason, outcomes, todaysArchive, switched } = report;
    await inTransaction(session, "recording the full restore", () =>
      appendAudit(session, {
        actor,
        action: "restore.finished",
        subject: report.plan.archiveId,
        details: {
          id: report.id,
          reason,
          switched,
          todaysArchive,
          steps: outcomes.map(({ name, state }) => `${name} ${state}`),
        },
      }),
    );
  } finally {
    await session.close();
  }
}

function databaseUrl(belay: Belay): string {
  const { database } = belay.settings;
  if (database !== undefined) return database;
  throw new BelayError("usage", "no database is set", {
    hint: "Set BELAY_DATABASE_URL or pass --database: the live one.",
  });
}
