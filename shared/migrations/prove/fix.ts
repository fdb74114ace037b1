import { databaseError } from "../../postgres/errors.ts";
import { type Identities, readIdentities } from "../inverse/identities.ts";
import { proposeInverse } from "../inverse/propose.ts";
import type { Chain } from "./chain.ts";
import { runScript } from "./run-script.ts";
import { readSequences, restoreSequences } from "./sequences.ts";
import type { State } from "./state.ts";
import type { Subject } from "./subject.ts";
import type { Proof, ProofVerdict } from "./types.ts";

/** Why a proof has no SQL that would mend the rollback, when nobody looked for it. */
export const notLookedFor = "not looked for";

const mendable: readonly ProofVerdict[] = [
  "column-order",
  "residue",
  "overreach",
  "differs",
  "fails",
  "noop",
  "missing",
];

/** Whether SQL could replace the rollback of this verdict. */
export function isMendable({ verdict, changes_schema }: Pick<Proof, "verdict" | "changes_schema">): boolean {
  return mendable.includes(verdict) && (changes_schema || verdict !== "missing");
}

export type Fix = Pick<Proof, "fix" | "no_fix">;

/** Finds rollback SQL that leads from the chain's state back to an earlier one. */
export interface Fixer {
  /** What the chain holds now, to be told from what the migration makes. */
  remember(): Promise<Identities>;
  /** `count`: how many migrations lead to the wanted state. */
  find(count: number, wanted: State, identities: Identities): Promise<Fix>;
  close(): Promise<void>;
}

/** All fixes of a run together may take this long. */
const budgetMs = 300_000;

/** `openBehind` makes a chain that follows the first one, some migrations behind. */
export function openFixer(chain: Chain, subjects: readonly Subject[], openBehind: () => Promise<Chain>): Fixer {
  let behind: { readonly chain: Chain; applied: number } | null = null;
  let spentMs = 0;
  const close = async () => {
    await behind?.chain.drop().catch(() => {});
    behind = null;
  };
  const behindAt = async (count: number) => {
    if (behind !== null && behind.applied > count) await close();
    behind ??= { chain: await openBehind(), applied: 0 };
    while (behind.applied < count) {
      const { session } = await behind.chain.place();
      await runScript(session, subjects[behind.applied++]!.up, behind.chain.limited);
    }
    return await behind.chain.place();
  };
  return {
    close,
    remember: async () => await readIdentities((await chain.place()).session),
    find: async (count, wanted, identities) => {
      if (spentMs > budgetMs) return { fix: null, no_fix: `${notLookedFor}: others took ${budgetMs / 60_000} minutes` };
      const started = performance.now();
      try {
        const before = await behindAt(count);
        return await propose(chain, before.url, wanted, identities);
      } catch (error) {
        return { fix: null, no_fix: databaseError(error).message };
      } finally {
        spentMs += performance.now() - started;
      }
    },
  };
}

async function propose(chain: Chain, beforeUrl: string, wanted: State, identities: Identities): Promise<Fix> {
  const after = await chain.place();
  const sequences = await readSequences(after.session);
  try {
    const proposal = await chain.limited(after.session, () =>
      proposeInverse({ beforeUrl, after, wanted: wanted.catalog, identities }),
    );
    if (proposal.proved && proposal.statements.length > 0) return { fix: proposal.sql, no_fix: null };
    if (proposal.columnOrderOnly)
      return { fix: null, no_fix: "what was found ends as before but for the order of columns" };
    return { fix: null, no_fix: proposal.refusal ?? `what was found is not as before: ${proposal.differences[0]}` };
  } finally {
    const { session } = await chain.place();
    await restoreSequences(session, sequences);
  }
}
