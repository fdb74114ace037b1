import type { Chain } from "./chain.ts";
import { lackOf, mayFollow } from "./environment.ts";
import { judge } from "./judge.ts";
import { rehearse } from "./rehearse.ts";
import type { SeedOptions } from "./rows/types.ts";
import { rowsBefore, rowsSince, withRows } from "./rows/with-rows.ts";
import { runScript } from "./run-script.ts";
import { type State, sameState } from "./state.ts";
import type { Subject } from "./subject.ts";
import type { Proof, ProofError } from "./types.ts";
import { errorWords, judgementWords } from "./words.ts";

/** A migration of the chain whose forward SQL did not run. */
export interface EarlierFailure {
  readonly name: string;
  readonly verdict: "up-fails" | "environment";
}

/** What one step of the chain gave. */
export interface Step {
  readonly proof: Proof;
  /** The state in which the next migration starts. */
  readonly after: State;
}

/** Applies a migration to the chain, rehearses its rollback, and says what came of it. */
export async function proveOne(
  chain: Chain,
  subject: Subject,
  before: State,
  earlier: readonly EarlierFailure[],
  seed: SeedOptions | null = null,
): Promise<Step> {
  const { up, down } = subject;
  if ([up, down].some((script) => /concurrently/i.test(script?.text ?? ""))) chain.expectInvalidIndexes();
  const earlierRows = await rowsBefore(chain, subject, seed);
  const ran = await runScript((await chain.place()).session, up, chain.limited);
  const after = await (await chain.place()).read();
  const base = { ...emptyProof(subject), up_ms: tenths(ran.ms), changes_schema: !sameState(before, after) };
  if (ran.error !== null) return { proof: { ...base, ...failedUp(ran.error, earlier) }, after };
  if (down === null)
    return { proof: { ...base, verdict: "missing", message: "there is no rollback SQL", noop: true }, after };
  const rehearsal = await rehearse(chain, before, after, { up, down });
  const timed = { ...base, down_ms: tenths(rehearsal.downMs) };
  if (rehearsal.afterDown === null) {
    const error = rehearsal.error!;
    return { proof: { ...timed, verdict: "fails", message: `the rollback fails: ${errorWords(error)}`, error }, after };
  }
  const judgement = judge(before, after, rehearsal.afterDown);
  const passes = { before: earlierRows, since: await rowsSince(chain, subject, seed) };
  const proof: Proof = {
    ...timed,
    verdict: judgement.verdict,
    message: judgementWords(judgement, down.blank),
    differences: [...judgement.differences],
    ...withRows(subject, passes, rehearsal.loses),
    up_again: rehearsal.upAgain,
    noop: judgement.noop,
  };
  return { proof, after };
}

function emptyProof({ migration, chain, down }: Subject): Omit<Proof, "verdict" | "message"> {
  return {
    migration: migration.name,
    version: migration.version,
    differences: [],
    loses: [],
    up_ms: null,
    down_ms: null,
    up_again: "not_run",
    noop: false,
    changes_schema: false,
    fix: null,
    unseeded: [],
    with_rows: null,
    error: null,
    file: migration.file,
    rollback_file: down === null ? null : down.file,
    rollback_line: down === null ? null : down.line,
    chain,
    cached: false,
  };
}

function failedUp(error: ProofError, earlier: readonly EarlierFailure[]): Pick<Proof, "verdict" | "message" | "error"> {
  const lack = lackOf(error);
  if (lack !== null)
    return { verdict: "environment", message: `${lack.what}; ${errorWords(error)}. ${lack.hint}`, error };
  const cause = mayFollow(error) ? earlier.at(-1) : undefined;
  const follows = cause === undefined ? "" : `; ${cause.name} before it did not run, so this may follow from that`;
  const verdict = cause?.verdict === "environment" ? "environment" : "up-fails";
  return { verdict, message: `the migration fails: ${errorWords(error)}${follows}`, error };
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
