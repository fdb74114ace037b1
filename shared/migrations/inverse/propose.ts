import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Catalog } from "../../catalog/types.ts";
import { openSession, type Session } from "../../postgres/session.ts";
import { byIdentity } from "./by-identity.ts";
import { grantsFromEntries, statementsFromEntries } from "./entries.ts";
import { type CatalogGap, compareStates, noGap } from "./gap.ts";
import { type Identities, lineage, readIdentities } from "./identities.ts";
import { readWordings, type Wording } from "./pg-delta.ts";
import { slimmed } from "./slim.ts";
import { isEnough, rank, type States, type Steps, type Trial, tryWay } from "./trial.ts";

/** Rollback SQL that was tried; the best of several. */
export interface InverseProposal {
  /** Empty when there is nothing to undo, and where `refusal` says why there is none. */
  readonly statements: readonly string[];
  /** The statements as one text. */
  readonly sql: string;
  /** Every entry is equal to the wanted one, judged by Belay's own reader. */
  readonly proved: boolean;
  /** Nothing differs but the order of columns in some tables; they are in `differences`. */
  readonly columnOrderOnly: boolean;
  readonly differences: readonly string[];
  /** Why there is no SQL: it would drop what was there before, or no way ran. */
  readonly refusal: string | null;
}

export interface InverseInput {
  /** A database in the state of before the migration. */
  readonly beforeUrl: string;
  /** A database in the state of after it; a copy of the other one tells best what was there before. Left as it is. */
  readonly after: { readonly url: string; readonly session: Session };
  readonly wanted: Catalog;
  /** What was there before, where it was read in the database of after; else found by comparing the two. */
  readonly identities?: Identities;
}

/**
 * Computes ways from the database `after` back to `before` (both scratch databases), tries each in a transaction on
 * `after.session` that is rolled back, and answers the best. Throws what reading the databases throws.
 */
export async function proposeInverse(input: InverseInput): Promise<InverseProposal> {
  const { session, url } = input.after;
  const gap = compareStates(input.wanted, await readSnapshotCatalog(session));
  if (isSame(gap))
    return { statements: [], sql: "", proved: true, columnOrderOnly: false, differences: [], refusal: null };
  const after = await readIdentities(session);
  const before =
    input.identities === undefined
      ? lineage(await identitiesOf(input.beforeUrl), after)
      : { known: true, identities: input.identities };
  const roles = await rolesOf(session);
  const states: States = { wanted: input.wanted, before, after, role: roles.owner };
  const trials: Trial[] = [];
  const attempt = async (way: (steps: Steps) => Promise<void>) => {
    const trial = await tryWay(session, states, way);
    trials.push(trial);
    return isEnough(trial);
  };
  if (before.known && (await attempt((steps) => byIdentity(steps, states)))) {
    const { statements } = trials.at(-1)!;
    const fewer = slimmed(statements);
    if (fewer.length < statements.length && !(await attempt((steps) => steps.run(fewer)))) trials.pop();
    return describe(trials.at(-1)!);
  }
  for (const wording of await readWordings(url, input.beforeUrl, roles)) {
    const { statements, refusal } = wording();
    if (refusal !== null) trials.push(refusedTrial({ statements, refusal }));
    else if (await attempt(async (steps) => steps.run(statements))) return describe(trials.at(-1)!);
    else if (nearlyThere(trials.at(-1)!) && (await attempt((steps) => repaired(steps, statements, states))))
      return describe(trials.at(-1)!);
  }
  await attempt((steps) => repaired(steps, [], states));
  const best = describe(trials.sort((a, b) => rank(a) - rank(b))[0]!);
  return best.refusal !== null && onlyKept(gap) ? { ...best, refusal: gap.differences.join("; ") } : best;
}

/** All that the migration did cannot be undone by any SQL, and does no harm. */
function onlyKept({ differences, kept }: CatalogGap): boolean {
  return kept > 0 && kept === differences.length;
}

/** Statements first, and then by the entries' own texts what they leave undone. */
async function repaired(steps: Steps, statements: readonly string[], { wanted, role }: States): Promise<void> {
  await steps.run(statements);
  const now = await steps.read();
  if (compareStates(wanted, now).differences.length === 0) return;
  await steps.run(statementsFromEntries(wanted, now, role));
  await steps.run(grantsFromEntries(wanted, await steps.read()));
}

function nearlyThere({ error, lost, gap }: Trial): boolean {
  return error === null && lost.length === 0 && gap.differences.length > 0;
}

function isSame({ differences, columnOrder }: CatalogGap): boolean {
  return differences.length + columnOrder.length === 0;
}

function refusedTrial({ refusal }: Wording): Trial {
  return { statements: [], gap: noGap, lost: [], strays: [], error: refusal };
}

function describe({ statements, gap, lost, strays, error }: Trial): InverseProposal {
  const none = { statements: [], sql: "", proved: false, columnOrderOnly: false, differences: [] };
  if (lost.length > 0)
    return { ...none, refusal: `it would drop what was there before the migration: ${lost.slice(0, 5).join(", ")}` };
  if (error !== null) return { ...none, refusal: error };
  if (statements.length === 0) return { ...none, refusal: "no SQL was found that leads back" };
  const differences = [
    ...gap.differences,
    ...gap.columnOrder,
    ...strays.map((stray) => `${stray}: the migration's own`),
  ];
  return {
    statements,
    sql: statements.map((statement) => `${statement};`).join("\n"),
    proved: differences.length === 0,
    columnOrderOnly: gap.columnOrder.length > 0 && gap.columnOrder.length === differences.length,
    differences,
    refusal: null,
  };
}

async function identitiesOf(url: string): Promise<Identities> {
  const session = await openSession(url, { applicationName: "belay scratch" });
  try {
    return await readIdentities(session);
  } finally {
    await session.close();
  }
}

async function rolesOf(session: Session): Promise<{ owner: string; all: string[] }> {
  const roles = await session.sql`select rolname as name, rolname = current_user as owner from pg_catalog.pg_roles`;
  return {
    owner: roles.find((role) => role.owner)!.name as string,
    all: roles.map((role) => role.name as string),
  };
}
