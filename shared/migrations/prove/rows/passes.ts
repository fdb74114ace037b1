import { openSession, type Session } from "../../../postgres/session.ts";
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
  /** Why no rows could be put in at all, so that nothing was run. */
  readonly broken: string | null;
}

const ran: RowsPass = { loses: [], unseeded: [], failed: null, broken: null };

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
    const seeded = await putIn(session, chain, options);
    if (seeded.rows === null) return { ...ran, broken: seeded.why };
    const { unseeded } = seeded;
    for (const script of scripts) {
      const done: RanInside = await runInside(session, script, chain.limited);
      if (done.undecided || isStale(done.error)) return null;
      if (done.error !== null) return { ...ran, unseeded, failed: { script, error: done.error } };
    }
    return { ...ran, loses: lossesOf(seeded.rows, await readRows(session), of), unseeded };
  } finally {
    await session.run("rollback").catch(() => {});
    if (session.alive) await restoreSequences(session, sequences);
    await session.close().catch(() => {});
  }
}

type Seeded =
  | { readonly rows: RowState; readonly unseeded: SeedReport["unseeded"] }
  | { readonly rows: null; readonly why: string };

/** A trigger may run for ever, or end the session. */
async function putIn(session: Session, chain: Chain, options: SeedOptions): Promise<Seeded> {
  try {
    const { unseeded } = await chain.limited(session, () => seedRows(session, options));
    return { rows: await readRows(session), unseeded };
  } catch (error) {
    return { rows: null, why: `no rows could be put in: ${(error as Error).message}` };
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
  const seeded = await putIn(session, chain, options);
  if (seeded.rows === null) return { ...ran, broken: seeded.why };
  const { unseeded } = seeded;
  await session.run("commit");
  const other = await openSession(url, { applicationName: "belay scratch" });
  try {
    for (const script of scripts) {
      const { error } = await runScript(other, script, chain.limited);
      if (error !== null) return { ...ran, unseeded, failed: { script, error } };
    }
    return { ...ran, loses: lossesOf(seeded.rows, await readRows(other), of), unseeded };
  } finally {
    await other.close().catch(() => {});
  }
}
