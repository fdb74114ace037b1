import type { Chain } from "./chain.ts";
import { lackOf, mayFollow } from "./environment.ts";
import { judge } from "./judge.ts";
import { type Rehearsal, rehearse } from "./rehearse.ts";
import type { RowsPass } from "./rows/passes.ts";
import type { SeedOptions } from "./rows/types.ts";
import { rowsBefore, rowsSince, withRows } from "./rows/with-rows.ts";
import { type Ran, runScript } from "./run-script.ts";
import { type State, sameState } from "./state.ts";
import type { Subject } from "./subject.ts";
import type { Proof, ProofError } from "./types.ts";
import { isScattered, type Unit } from "./unit.ts";
import { againWords, errorWords, judgementWords } from "./words.ts";

/** A migration of the chain whose forward SQL did not run. */
export interface EarlierFailure {
  readonly name: string;
  readonly verdict: "up-fails" | "environment";
}

/** A unit of which the first member is about to be applied. */
export interface OpenUnit {
  readonly unit: Unit;
  /** The state in which its rollback should end. */
  readonly before: State;
  readonly rows: RowsPass | null;
  readonly applied: Applied[];
}

/** A member after its forward SQL. */
export interface Applied {
  readonly subject: Subject;
  readonly ran: Ran;
  readonly changesSchema: boolean;
  readonly after: State;
}

export async function openUnit(chain: Chain, unit: Unit, before: State, seed: SeedOptions | null): Promise<OpenUnit> {
  if ([...unit.ups, unit.down].some((script) => /concurrently/i.test(script?.text ?? ""))) chain.expectInvalidIndexes();
  const rows = isScattered(unit) ? null : await rowsBefore(chain, unit, seed);
  return { unit, before, rows, applied: [] };
}

/** Applies a member to the chain. */
export async function applyMember(chain: Chain, subject: Subject, before: State): Promise<Applied> {
  const ran = await runScript((await chain.place()).session, subject.up, chain.limited);
  const after = await (await chain.place()).read();
  return { subject, ran, after, changesSchema: !sameState(before, after) };
}

/** Rehearses the rollback of a unit whose members are applied, and gives each member its proof. */
export async function proveUnit(
  chain: Chain,
  { unit, before, rows, applied }: OpenUnit,
  options: { readonly seed: SeedOptions | null; readonly failures: readonly EarlierFailure[] },
): Promise<Proof[]> {
  const blocked = applied.find(({ ran }) => ran.error !== null);
  if (blocked !== undefined) {
    const told = failedUp(blocked.ran.error!, options.failures);
    return applied.map((one) => ({ ...baseOf(one), ...(one === blocked ? told : besideFailed(blocked, told)) }));
  }
  if (unit.down === null) {
    const missing = { verdict: "missing", message: "there is no rollback SQL", noop: true } as const;
    return applied.map((one) => ({ ...baseOf(one), ...missing }));
  }
  const { after } = applied.at(-1)!;
  const rehearsal = await rehearse(chain, before, after, { down: unit.down, ups: unit.ups });
  const passes = { before: rows, since: rehearsal.error === null ? await rowsSince(chain, unit, options.seed) : null };
  const shared = rehearsal.afterDown === null ? failedDown(rehearsal) : judged(unit, before, after, rehearsal);
  return applied.map((one) => ({
    ...baseOf(one),
    down_ms: tenths(rehearsal.downMs),
    ...shared,
    ...withRows(unit, passes, rehearsal.loses),
  }));
}

function baseOf({ subject, ran, changesSchema }: Applied): Omit<Proof, "verdict" | "message"> {
  const { migration, chain, down } = subject;
  return {
    migration: migration.name,
    version: migration.version,
    differences: [],
    loses: [],
    up_ms: tenths(ran.ms),
    down_ms: null,
    up_again: "not_run",
    noop: false,
    changes_schema: changesSchema,
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

function judged(unit: Unit, before: State, after: State, { afterDown, ...rest }: Rehearsal) {
  const judgement = judge(before, after, afterDown!);
  const message = judgementWords(judgement, unit.down!.blank) + againWords(rest.upAgain, rest.upAgainError);
  const differences = [...judgement.differences];
  return { verdict: judgement.verdict, message, differences, up_again: rest.upAgain, noop: judgement.noop };
}

function failedDown({ error }: Rehearsal) {
  return { verdict: "fails", message: `the rollback fails: ${errorWords(error!)}`, error } as const;
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

function besideFailed({ subject }: Applied, { verdict }: Pick<Proof, "verdict">): Pick<Proof, "verdict" | "message"> {
  return { verdict, message: `${subject.migration.name}, which the same rollback reverses, does not run` };
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
