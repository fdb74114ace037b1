import type { Chain, Place } from "./chain.ts";
import { changedTables, lossesOfStates, readColumns } from "./losses.ts";
import { forgetPrepared, locateInside, type Ran, type RanInside, runInside, runScript } from "./run-script.ts";
import type { Script } from "./script.ts";
import { mayMoveSequences, readSequences, restoreSequences, type SequenceValues } from "./sequences.ts";
import { type State, sameState } from "./state.ts";
import type { Proof, ProofError, ProofLoss } from "./types.ts";

/** What a rollback and the migration after it did, starting from the state after the migration. */
export interface Rehearsal {
  /** null: the rollback failed. */
  readonly afterDown: State | null;
  readonly error: ProofError | null;
  readonly downMs: number;
  readonly upAgain: Proof["up_again"];
  readonly upAgainError: ProofError | null;
  readonly loses: readonly ProofLoss[];
}

interface Scripts {
  readonly down: Script;
  /** The forward SQL of all that `down` reverses. */
  readonly ups: readonly Script[];
}

/**
 * Rolls back and applies again: in a transaction that is rolled back where the SQL runs in one, else, and where the
 * transaction may be why it failed, on a copy of the database, as the team's tool would.
 */
export async function rehearse(chain: Chain, before: State, after: State, scripts: Scripts): Promise<Rehearsal> {
  if (!chain.onCopies && [scripts.down, ...scripts.ups].every(({ inner }) => inner !== null)) {
    const inside = await insideTransaction(chain, before, after, scripts);
    if (inside !== null) return inside;
  }
  return await onCopy(chain, before, after, scripts);
}

/** Null: only a copy can tell. */
async function insideTransaction(
  chain: Chain,
  before: State,
  after: State,
  { down, ups }: Scripts,
): Promise<Rehearsal | null> {
  const place = await chain.place();
  const moves = mayMoveSequences([down, ...ups].map(({ text }) => text));
  const sequences: SequenceValues = moves ? await readSequences(place.session) : new Map();
  const seen = await rolledBack(place, async () => {
    const ran = await runInside(place.session, down, chain.limited);
    if (ran.error !== null) return { ran, afterDown: null, again: null, columns: [] };
    const afterDown = await place.read();
    const columns = await readColumns(place.session, changedTables(after, afterDown));
    const again = await runAll(ups, (up) => runInside(place.session, up, chain.limited));
    const end = again.error === null ? await place.read() : null;
    return { ran, afterDown, again: { ran: again, end }, columns };
  });
  if (seen.ran.undecided || (seen.again !== null && isUndecided(seen.again.ran))) return null;
  const { session } = await chain.place();
  for (const script of [down, ...ups]) await forgetPrepared(session, script);
  if (moves) await restoreSequences(session, sequences);
  if (seen.afterDown === null) {
    const error = await locateInside(session, down, seen.ran.error!, chain.limited);
    if (moves) await restoreSequences(session, sequences);
    return { ...failed(seen.ran), error };
  }
  const columns = { after: await readColumns(session, changedTables(after, seen.afterDown)), afterDown: seen.columns };
  return {
    afterDown: seen.afterDown,
    error: null,
    downMs: seen.ran.ms,
    ...compareAgain(after, seen.again!.ran, seen.again!.end),
    loses: lossesOfStates({ before, after, afterDown: seen.afterDown }, columns),
  };
}

/** Constraints that a file leaves to COMMIT are checked at once after the first file of the transaction. */
function isUndecided({ undecided, error }: RanInside): boolean {
  return undecided || error?.code?.startsWith("23") === true;
}

async function rolledBack<T>({ session }: Place, work: () => Promise<T>): Promise<T> {
  await session.run("begin");
  try {
    return await work();
  } finally {
    await session.run("rollback").catch(() => {});
  }
}

async function onCopy(chain: Chain, before: State, after: State, { down, ups }: Scripts): Promise<Rehearsal> {
  const seen = await chain.onCopy(async (copy) => {
    const ran = await runScript(copy.session, down, chain.limited);
    if (ran.error !== null) return { ran, afterDown: null };
    const afterDown = await copy.read();
    const columns = await readColumns(copy.session, changedTables(after, afterDown));
    const again = await runAll(ups, (up) => runScript(copy.session, up, chain.limited));
    const end = again.error === null ? await copy.read() : null;
    return { ran, afterDown, columns, again: compareAgain(after, again, end) };
  });
  if (seen.afterDown === null) return failed(seen.ran);
  const { afterDown, ran } = seen;
  const { session } = await chain.place();
  const columns = { after: await readColumns(session, changedTables(after, afterDown)), afterDown: seen.columns! };
  const loses = lossesOfStates({ before, after, afterDown }, columns);
  return { afterDown, error: null, downMs: ran.ms, ...seen.again!, loses };
}

function failed({ ms, error }: Ran): Rehearsal {
  return { afterDown: null, error, downMs: ms, upAgain: "not_run", upAgainError: null, loses: [] };
}

function compareAgain(
  after: State,
  { error }: Ran | RanInside,
  end: State | null,
): Pick<Rehearsal, "upAgain" | "upAgainError"> {
  if (end === null) return { upAgain: "fails", upAgainError: error };
  return { upAgain: sameState(after, end) ? "same" : "differs", upAgainError: null };
}

/** Runs scripts one after the other, to the first that fails. */
async function runAll<R extends Ran>(scripts: readonly Script[], run: (script: Script) => Promise<R>): Promise<R> {
  let last = await run(scripts[0]!);
  for (const script of scripts.slice(1)) {
    if (last.error !== null) return last;
    last = await run(script);
  }
  return last;
}
