import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { isBelayError } from "../../shared/errors.ts";
import { installBelay } from "../../shared/install.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { completePolicy } from "../../shared/rollback/plan/policy.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { type Random, randomFrom } from "../faults/random.ts";
import { migrationOf } from "../migration-of.ts";
import { checkRolledBack, checkTables } from "./check.ts";
import { apply, type Model, startModel } from "./log.ts";
import { migrations, type Scenario, scenarios, tables } from "./schema.ts";
import { startWriters, type WriterProcess } from "./writer-process.ts";

export interface LoadOptions {
  /** An empty database. */
  readonly url: string;
  readonly rounds: number;
  readonly seed: number;
  /** Connections of the writing process; default 8. */
  readonly writers?: number;
  /** Transactions a second that it tries; default 6,000. */
  readonly rate?: number;
  /** Stops before the rounds are done, after so many milliseconds. */
  readonly forMs?: number;
  readonly onRound?: (round: LoadRound) => void;
}

export interface LoadRound {
  readonly number: number;
  readonly title: string;
  readonly rolledBack: boolean;
  readonly undone: boolean;
  /** Why one of both was refused: locks were not to be had. */
  readonly refused: string | null;
  readonly committed: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly unknown: number;
  readonly archivedRows: number;
  readonly lockedMs: number | null;
  readonly criticalSectionMs: number | null;
  /** Longest transaction of a writer, its waits included. */
  readonly longestMs: number;
  readonly seconds: number;
  /** Of these, how long the writers were at work. */
  readonly writingSeconds: number;
  readonly wrong: readonly string[];
}

/** Rolls back and undoes at random moments while another process writes, and compares with what that process logged. */
export async function runLoad(options: LoadOptions): Promise<LoadRound[]> {
  const { url, rounds, seed, writers = 8, rate = 6_000, forMs = Number.POSITIVE_INFINITY } = options;
  const folder = mkdtempSync(join(tmpdir(), "belay-load-"));
  const session = await openSession(url, { applicationName: "load check" });
  const started = performance.now();
  const done: LoadRound[] = [];
  try {
    await prepare(session);
    const process = await startWriters(url, { connections: writers, rate, seed });
    const run = { session, process, belay: belayOf(url, folder), model: startModel(tables), random: randomFrom(seed) };
    for (let number = 1; number <= rounds && performance.now() - started < forMs; number++) {
      const round = await runRound(run, number);
      done.push(round);
      options.onRound?.(round);
      if (round.wrong.length > 0) break;
    }
    await process.end();
    return done;
  } finally {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly session: Session;
  readonly process: WriterProcess;
  readonly belay: Belay;
  readonly model: Model;
  readonly random: Random;
}

async function runRound({ session, process, belay, model, random }: Run, number: number): Promise<LoadRound> {
  const scenario = random.pick(scenarios);
  const started = performance.now();
  const wrong: string[] = [];
  const sums = { committed: 0, failed: {} as Record<string, number>, unknown: 0, longestMs: 0, writingSeconds: 0 };
  let written = 0;
  const go = () => {
    written = performance.now();
    process.go();
  };
  const pause = async () => {
    const report = await process.pause();
    sums.writingSeconds += (performance.now() - written) / 1_000;
    wrong.push(...apply(model, report));
    sums.committed += report.committed;
    sums.unknown += report.unknown.length;
    sums.longestMs = Math.max(sums.longestMs, report.longestMs);
    for (const [code, times] of Object.entries(report.failed)) sums.failed[code] = (sums.failed[code] ?? 0) + times;
  };
  go();
  await sleep(random.int(5, 250));
  const report = await settled(() => executeRollback(belay, { ...targetOf(scenario), reason: "load" }));
  await sleep(random.int(0, 100));
  await pause();
  if ("refused" in report) wrong.push(...(await checkTables(session, null, model)));
  else wrong.push(...(await checkRolledBack(session, belay.store, report.archiveId!, scenario, model)));
  let undo: RollbackReport | Refused | null = null;
  if (!("refused" in report)) {
    go();
    await sleep(random.int(5, 150));
    undo = await undoWithPatience(belay, report.rollbackId);
    await sleep(random.int(0, 100));
    await pause();
    wrong.push(...(await checkTables(session, null, model)));
    if ("refused" in undo) wrong.push(`the undo was refused: ${undo.message}`);
  }
  const refused = [report, undo].flatMap((one) => (one !== null && "refused" in one ? [one.message] : []));
  const rolledBack = "refused" in report ? null : report;
  return {
    number,
    title: scenario.title,
    rolledBack: rolledBack !== null,
    undone: undo !== null && !("refused" in undo),
    refused: refused[0] ?? null,
    ...sums,
    archivedRows: (rolledBack?.tables ?? []).reduce((sum, { rows }) => sum + rows, 0),
    lockedMs: rolledBack?.lockedMs ?? null,
    criticalSectionMs: rolledBack?.criticalSectionMs ?? null,
    seconds: (performance.now() - started) / 1_000,
    wrong,
  };
}

interface Refused {
  readonly refused: true;
  readonly message: string;
}

/** Locks may not be had on a busy table: that is an answer, and nothing may have changed. */
async function settled(work: () => Promise<RollbackReport>): Promise<RollbackReport | Refused> {
  try {
    return await work();
  } catch (error) {
    if (!isBelayError(error, "lock_not_obtained")) throw error;
    return { refused: true, message: error.message };
  }
}

async function undoWithPatience(belay: Belay, rollbackId: string): Promise<RollbackReport | Refused> {
  for (let tries = 1; ; tries++) {
    const undo = await settled(() => undoRollback(belay, { rollbackId, reason: "load" }));
    if (!("refused" in undo) || tries === 5) return undo;
  }
}

function targetOf({ targets }: Scenario) {
  return targets.length === 1 ? { migration: targets[0]! } : { migrations: [...targets] };
}

async function prepare(session: Session): Promise<void> {
  await installBelay(session);
  for (const migration of migrations) {
    await session.run(migration.up);
    await insertMigration(session, migrationOf(migration), { actor: "load", status: "applied" });
  }
}

function belayOf(url: string, folder: string): Belay {
  // One person rolls back here.
  const policy = completePolicy({ gates: { approved: "advised" }, growth: { percent: 100_000 } });
  const settings = parseSettings({ database: url, actor: "load", policy, criticalSectionMs: 60_000 });
  return {
    settings,
    actor: settings.actor,
    openSession: (options) => openSession(url, { ...options }),
    store: createFolderStore(folder),
    scratchUrl: null,
    report: () => {},
    now: () => new Date(),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
