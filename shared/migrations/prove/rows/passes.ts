import { openSession } from "../../../postgres/session.ts";
import type { Chain, Place } from "../chain.ts";
import { type RanInside, runInside, runScript } from "../run-script.ts";
import type { Script } from "../script.ts";
import { readSequences, restoreSequences } from "../sequences.ts";
import type { ProofError, ProofLoss } from "../types.ts";
import { lossesOf } from "./losses.ts";
import { type RowState, readRows } from "./read-rows.ts";
import { seedRows } from "./seed.ts";
import type { SeedOptions, SeedReport } from "./types.ts";

/** What became of generated rows when some scripts ran over them. */
export interface RowsPass {
  readonly loses: readonly ProofLoss[];
  readonly unseeded: SeedReport["unseeded"];
  /** The script that the rows made fail; null: all ran. */
  readonly failed: { readonly script: Script; readonly error: ProofError } | null;
}

/**
 * Puts rows into the tables as they are now, runs the scripts one after the other, and says what is gone of the rows.
 * All of it is rolled back, or happens on a copy where the scripts need that.
 */
export async function passRows(
  chain: Chain,
  scripts: readonly Script[],
  of: ProofLoss["of"],
  options: SeedOptions,
): Promise<RowsPass> {
  if (scripts.every(({ inner }) => inner !== null)) {
    const inside = await passInside(chain, scripts, of, options);
    if (inside !== null) return inside;
  }
  return await chain.onCopy((copy) => passOnCopy(copy, chain, scripts, of, options));
}

/** Null: only a copy can tell. */
async function passInside(
  chain: Chain,
  scripts: readonly Script[],
  of: ProofLoss["of"],
  options: SeedOptions,
): Promise<RowsPass | null> {
  // A session of its own: functions that triggers run keep the column types of their first run.
  const session = await openSession((await chain.place()).url, { applicationName: "belay scratch" });
  const sequences = await readSequences(session);
  await session.run("begin");
  try {
    const { unseeded } = await seedRows(session, options);
    const earlier = await readRows(session);
    for (const script of scripts) {
      const ran: RanInside = await runInside(session, script, chain.limited);
      if (ran.undecided || isStale(ran.error)) return null;
      if (ran.error !== null) return { loses: [], unseeded, failed: { script, error: ran.error } };
    }
    return { loses: lossesOf(earlier, await readRows(session), of), unseeded, failed: null };
  } finally {
    await session.run("rollback").catch(() => {});
    if (session.alive) await restoreSequences(session, sequences);
    await session.close().catch(() => {});
  }
}

/** A function that ran while the rows came in, and now meets other column types: no fault of the script. */
function isStale(error: ProofError | null): boolean {
  return /when preparing the plan|cached plan must not change/.test(error?.message ?? "");
}

async function passOnCopy(
  { session, url }: Place,
  chain: Chain,
  scripts: readonly Script[],
  of: ProofLoss["of"],
  options: SeedOptions,
): Promise<RowsPass> {
  await session.run("begin");
  const { unseeded } = await seedRows(session, options);
  await session.run("commit");
  const earlier: RowState = await readRows(session);
  const other = await openSession(url, { applicationName: "belay scratch" });
  try {
    for (const script of scripts) {
      const ran = await runScript(other, script, chain.limited);
      if (ran.error !== null) return { loses: [], unseeded, failed: { script, error: ran.error } };
    }
    return { loses: lossesOf(earlier, await readRows(other), of), unseeded, failed: null };
  } finally {
    await other.close().catch(() => {});
  }
}
