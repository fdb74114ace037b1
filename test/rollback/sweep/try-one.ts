import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Belay } from "../../../shared/context.ts";
import { BelayError } from "../../../shared/errors.ts";
import { executeRollback } from "../../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../../shared/rollback/plan/plan-rollback.ts";
import type { Policy } from "../../../shared/rollback/plan/policy.ts";
import type { Plan, RollbackReport } from "../../../shared/rollback/types.ts";
import { undoRollback } from "../../../shared/rollback/undo/undo.ts";
import { advising, soloPolicy } from "../../support/policy.ts";
import { notArchived } from "./archived.ts";
import { sweepBelay } from "./belay.ts";
import type { Chain } from "./chain.ts";
import type { Published } from "./corpus.ts";
import { judgeRefusal } from "./judge.ts";
import { losses } from "./losses.ts";
import { seedTables } from "./seed.ts";
import { connect, readState, stateDifferences, timeless } from "./state.ts";
import { schemaDifferences, schemaOf } from "./stock.ts";

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly right: boolean;
  readonly why: string;
}

/** What happened to one migration. `wrong` is empty when everything held. */
export interface Outcome {
  readonly migration: string;
  readonly refusal: Refusal | null;
  /** What had to be let pass after a right refusal, to look at the rest. */
  readonly passed: readonly string[];
  readonly destroyed: number;
  readonly wrong: readonly string[];
  readonly ways: readonly string[];
  readonly unseeded: readonly string[];
  readonly ms: { plan?: number; rollback?: number; undo?: number };
}

/** Seeds a copy, rolls back, looks, undoes, looks, and does both again from the stored entries alone. */
export async function tryOne(chain: Chain, server: string, published: Published, seed: number): Promise<Outcome> {
  const url = await chain.copy();
  const { belay, place } = sweepBelay(url, server);
  try {
    const unseeded = await seedTables(url, seed);
    return { ...(await thereAndBack(belay, url, place, published, chain)), unseeded, migration: published.name };
  } finally {
    rmSync(place, { recursive: true, force: true });
    await chain.drop(url);
  }
}

async function thereAndBack(belay: Belay, url: string, place: string, published: Published, chain: Chain) {
  const ms: Outcome["ms"] = {};
  const wrong: string[] = [];
  const ways: string[] = [];
  const passed: string[] = [];
  const before = await readState(url);
  const schema = await schemaOf(url);
  const request = { migration: published.name, reason: "sweep", folder: chain.folder };
  const plan = await timed(ms, "plan", () => planRollback(belay, request));
  let policy: Policy = soloPolicy;
  let refusal: Refusal | null = null;
  let destroyed = 0;
  const untouched = async (when: string) => {
    for (const difference of stateDifferences(before, await readState(url))) wrong.push(`${when}: ${difference}`);
    for (const difference of schemaDifferences(schema, await schemaOf(url))) wrong.push(`${when}: ${difference}`);
  };
  const answer = () => ({ refusal, passed, destroyed, wrong, ways, ms });
  let report: RollbackReport | null = null;
  for (let tries = 0; report === null; tries++) {
    try {
      report = await timed(ms, "rollback", () => executeRollback(belay, { ...request, policy }));
    } catch (error) {
      await untouched("after a refusal");
      const failure = known(error);
      const judged = await judgeRefusal(url, published, plan, failure);
      refusal ??= { code: codeOf(failure, plan), message: failure.message, ...judged };
      if (!judged.right && tries === 0) refusal = { ...refusal, ...judged };
      const open = tries < 3 ? opened(failure, plan, policy) : null;
      if (open === null) return answer();
      passed.push(open.what);
      policy = open.policy;
      if (open.what === "snapshots") await forgetSnapshots(url);
    }
  }
  const after = await readState(url);
  const schemaAfter = await schemaOf(url);
  const lost = losses(before, after);
  destroyed = lost.length;
  const folder = report.archiveId === null ? null : join(place, "archives", report.archiveId);
  for (const missing of await notArchived(folder, lost, before, after)) wrong.push(`archive: ${missing}`);
  for (const way of ["forward", "entries"] as const) {
    if (way === "entries") {
      const again = await executeRollback(belay, { ...request, policy }).catch(known);
      if (again instanceof Error) {
        wrong.push(`rolling back again: ${again.message}`);
        break;
      }
      report = again;
      for (const difference of stateDifferences(timeless(after), timeless(await readState(url))))
        wrong.push(`rolled back again: ${difference}`);
      for (const line of schemaDifferences(schemaAfter, await schemaOf(url))) wrong.push(`rolled back again: ${line}`);
      await execute(url, "update belay.migration_revisions set forward_sql = ''");
    }
    const { rollbackId } = report;
    const undone = await timed(ms, way === "forward" ? "undo" : "again", () =>
      undoRollback(belay, { rollbackId, reason: "sweep" }),
    ).catch(known);
    if (undone instanceof Error) {
      wrong.push(`undo (${way}): ${undone.message}`);
      break;
    }
    ways.push(undone.notes[0] ?? "");
    for (const difference of stateDifferences(before, await readState(url)))
      wrong.push(`undone (${way}): ${difference}`);
    for (const line of schemaDifferences(schema, await schemaOf(url))) wrong.push(`undone (${way}): ${line}`);
  }
  return answer();
}

function codeOf(failure: BelayError, plan: Plan): string {
  if (failure.code !== "gate_failed") return failure.code;
  return `gate ${failedGates(plan).join(" and ")}`;
}

export function failedGates(plan: Plan): string[] {
  return plan.gates.filter(({ state, blocking }) => state === "failed" && blocking).map(({ name }) => name);
}

/** What to let pass so that the guard, the archive and the undo behind a refusal are looked at too. */
function opened(failure: BelayError, plan: Plan, policy: Policy): { what: string; policy: Policy } | null {
  if (failure.code === "end_state_differs" && failure.message.includes("does not end where"))
    return { what: "snapshots", policy };
  const failed = failedGates(plan);
  const gates = ["undoable", "provenance"] as const;
  if (failure.code !== "gate_failed" || failed.some((name) => !(gates as readonly string[]).includes(name)))
    return null;
  if (policy.gates.undoable.HIGH === "advised") return null;
  return {
    what: failed.join(" and "),
    policy: advising(...gates),
  };
}

async function forgetSnapshots(url: string): Promise<void> {
  await execute(url, "set session_replication_role = replica; delete from belay.snapshots");
}

async function execute(url: string, text: string): Promise<void> {
  const sql = connect(url);
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

function known(error: unknown): BelayError {
  if (error instanceof BelayError) return error;
  return new BelayError("internal", `not a Belay error: ${(error as Error).stack}`);
}

async function timed<T>(ms: Record<string, number | undefined>, name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  ms[name] ??= performance.now() - started;
  return result;
}
