import type { Identities } from "../inverse/identities.ts";
import type { Chain } from "./chain.ts";
import { lackOf, mayFollow } from "./environment.ts";
import { type Fix, type Fixer, isMendable, notLookedFor } from "./fix.ts";
import { judge } from "./judge.ts";
import { type Rehearsal, rehearse } from "./rehearse.ts";
import type { RowsPass } from "./rows/passes.ts";
import type { SeedOptions } from "./rows/types.ts";
import { rowsBefore, rowsSince, withRows } from "./rows/with-rows.ts";
import type { Ran } from "./run-script.ts";
import type { Script } from "./script.ts";
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
  /** What was there before, where fixes are looked for. */
  readonly identities: Identities | null;
  readonly applied: Applied[];
}

/** A member after its forward SQL. */
export interface Applied {
  readonly subject: Subject;
  readonly ran: Ran;
  readonly changesSchema: boolean;
  readonly after: State;
  /** Why its forward SQL did not run; null when it did. */
  readonly failure: Failure | null;
}

type Failure = Pick<Proof, "message" | "error"> & Pick<EarlierFailure, "verdict">;

/** What is done besides the rehearsal itself. */
export interface UnitOptions {
  readonly seed: SeedOptions | null;
  /** null: no SQL is looked for that would mend a rollback. */
  readonly fixer: Fixer | null;
}

export async function openUnit(chain: Chain, unit: Unit, before: State, options: UnitOptions): Promise<OpenUnit> {
  if ([...unit.ups, unit.down].some((script) => /concurrently/i.test(script?.text ?? ""))) chain.expectInvalidIndexes();
  const rows = isScattered(unit) ? null : await rowsBefore(chain, unit, options.seed);
  const identities = options.fixer === null ? null : await options.fixer.remember();
  return { unit, before, rows, identities, applied: [] };
}

/** Applies a member to the chain. */
export async function applyMember(
  chain: Chain,
  subject: Subject,
  before: State,
  earlier: readonly EarlierFailure[],
): Promise<Applied> {
  const ran = await chain.apply(subject.up);
  const after = await (await chain.place()).read();
  const failure = ran.error === null ? null : failedUp(ran.error, earlier, chain.rolesAtStart);
  return { subject, ran, after, changesSchema: !sameState(before, after), failure };
}

/** Rehearses the rollback of a unit whose members are applied, and gives each member its proof. */
export async function proveUnit(chain: Chain, open: OpenUnit, options: UnitOptions): Promise<Proof[]> {
  const { unit, applied } = open;
  const blocked = applied.find(({ failure }) => failure !== null);
  if (blocked !== undefined)
    return applied.map((one) => ({ ...baseOf(one), ...(one.failure ?? besideFailed(blocked)) }));
  const shared = unit.down === null ? missing : await rehearsed(chain, open, unit.down, options.seed);
  const changes = applied.some(({ changesSchema }) => changesSchema);
  const fix = isMendable({ verdict: shared.verdict, changes_schema: changes }) ? await fixOf(open, options.fixer) : {};
  return applied.map((one) => ({ ...baseOf(one), ...shared, ...fix }));
}

const missing = { verdict: "missing", message: "there is no rollback SQL", noop: true } as const;

async function rehearsed(
  chain: Chain,
  { unit, before, rows, applied }: OpenUnit,
  down: Script,
  seed: SeedOptions | null,
) {
  const { after } = applied.at(-1)!;
  const rehearsal = await rehearse(chain, before, after, { down, ups: unit.ups });
  const passes = { before: rows, since: rehearsal.error === null ? await rowsSince(chain, unit, seed) : null };
  const told = rehearsal.afterDown === null ? failedDown(rehearsal) : judged(down, before, after, rehearsal);
  return { down_ms: tenths(rehearsal.downMs), ...told, ...withRows(unit, passes, rehearsal.loses) };
}

async function fixOf({ unit, before, identities }: OpenUnit, fixer: Fixer | null): Promise<Fix> {
  if (fixer === null || identities === null) return { fix: null, no_fix: notLookedFor };
  if (isScattered(unit)) return { fix: null, no_fix: "other migrations stand between those that it reverses" };
  return await fixer.find(unit.first, before, identities);
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
    no_fix: null,
    unseeded: [],
    with_rows: null,
    error: null,
    file: migration.file,
    rollback_file: down === null ? null : down.file,
    rollback_line: down === null ? null : down.line,
    chain,
    at: new Date().toISOString(),
    cached: false,
  };
}

function judged(down: Script, before: State, after: State, { afterDown, ...rest }: Rehearsal) {
  const judgement = judge(before, after, afterDown!);
  // After a rollback that did nothing the migration cannot but be there already.
  const again = judgement.verdict === "noop" ? "" : againWords(rest.upAgain, rest.upAgainError);
  const message = judgementWords(judgement, down.blank) + again;
  const differences = [...judgement.differences];
  return { verdict: judgement.verdict, message, differences, up_again: rest.upAgain, noop: judgement.noop };
}

function failedDown({ error }: Rehearsal) {
  return { verdict: "fails", message: `the rollback fails: ${errorWords(error!)}`, error } as const;
}

function failedUp(error: ProofError, earlier: readonly EarlierFailure[], strangers: ReadonlySet<string>): Failure {
  const lack = lackOf(error, strangers);
  if (lack !== null)
    return { verdict: "environment", message: `${lack.what}; ${errorWords(error)}. ${lack.hint}`, error };
  const cause = mayFollow(error) ? earlier.at(-1) : undefined;
  const follows = cause === undefined ? "" : `; ${cause.name} before it did not run, so this may follow from that`;
  const verdict = cause?.verdict === "environment" ? "environment" : "up-fails";
  return { verdict, message: `the migration fails: ${errorWords(error)}${follows}`, error };
}

function besideFailed({ subject, failure }: Applied): Pick<Proof, "verdict" | "message"> {
  return {
    verdict: failure!.verdict,
    message: `${subject.migration.name}, which the same rollback reverses, does not run`,
  };
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
