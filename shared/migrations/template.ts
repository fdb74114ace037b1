import { readSnapshotCatalog } from "../catalog/snapshots.ts";
import type { Belay } from "../context.ts";
import { BelayError, isBelayError } from "../errors.ts";
import { belayInstalled } from "../install.ts";
import { withScratch } from "../postgres/scratch.ts";
import type { Session } from "../postgres/session.ts";
import { withSession } from "../with-session.ts";
import { readIdentities } from "./inverse/identities.ts";
import { type InverseProposal, proposeInverse } from "./inverse/propose.ts";
import { compareMigrations } from "./layouts/source.ts";
import { readLedger } from "./ledger.ts";
import { findInFolder } from "./register.ts";
import { type Replayable, setUpScratch } from "./replay.ts";
import { resolveName } from "./resolve.ts";
import { runForward } from "./run-forward.ts";
import { type TemplateText, templateText } from "./template-text.ts";
import type { LayoutName, MigrationFolder } from "./types.ts";

/** A proposed rollback of a migration. */
export interface TemplateProposal {
  readonly migration: string;
  /**
   * `proved`: tried on a scratch copy, and every catalog entry was as before. `not_proved`: tried, and it was not, or
   * failed. `refused`: it drops what was there before the migration. `nothing_to_do`: the migration changes no schema.
   * `not_available`: it could not be computed or tried; `message` says why.
   */
  readonly state: "proved" | "not_proved" | "refused" | "nothing_to_do" | "not_available";
  readonly message: string;
  readonly sql: string | null;
  /** Ready to paste into the migration's file. */
  readonly text: string | null;
  readonly risk: TemplateText["risk"] | null;
  readonly dataLoss: readonly string[];
  /** Objects in which the tried proposal differs from the state before. */
  readonly differences: readonly string[];
}

interface Chain {
  readonly earlier: readonly Replayable[];
  readonly target: Replayable;
  readonly layout: LayoutName;
}

/**
 * Proposes rollback SQL from the states before and after a migration, built on scratch databases from the folder's
 * migrations (else the ledger's), and tries it there. Throws `unknown_migration`.
 */
export async function proposeTemplate(belay: Belay, name: string, folder?: MigrationFolder): Promise<TemplateProposal> {
  const chain = folder === undefined ? await chainOfLedger(belay, name) : chainOfFolder(folder, name);
  const nothing = { migration: chain.target.name, sql: null, text: null, risk: null, dataLoss: [], differences: [] };
  if (belay.scratchUrl === null)
    return {
      ...nothing,
      state: "not_available",
      message: "there is no scratch server to build the states before and after on: set BELAY_SCRATCH_URL or --scratch",
    };
  try {
    return await withScratch(belay, "template before", (before) =>
      withScratch(belay, "template after", async (after) => propose(belay, chain, before, after)),
    );
  } catch (error) {
    if (!isBelayError(error, "sql_failed") && !isBelayError(error, "scratch_unavailable")) throw error;
    return { ...nothing, state: "not_available", message: error.message };
  }
}

async function propose(
  belay: Belay,
  chain: Chain,
  before: { url: string; session: Session },
  after: { url: string; session: Session },
): Promise<TemplateProposal> {
  for (const { session } of [before, after]) {
    await setUpScratch(belay, session);
    for (const migration of chain.earlier) await runForward(session, migration);
  }
  const wanted = await readSnapshotCatalog(after.session);
  const identities = await readIdentities(after.session);
  await runForward(after.session, chain.target);
  const proposal = await proposeInverse({ beforeUrl: before.url, after, wanted, identities });
  return describe(chain, proposal);
}

function describe(chain: Chain, proposal: InverseProposal): TemplateProposal {
  const { statements, differences, refusal, proved, columnOrderOnly } = proposal;
  const empty = { migration: chain.target.name, sql: null, text: null, risk: null, dataLoss: [], differences };
  if (refusal !== null)
    return { ...empty, state: refusal.startsWith("it would drop") ? "refused" : "not_available", message: refusal };
  if (statements.length === 0)
    return {
      ...empty,
      state: "nothing_to_do",
      message: "the migration changes no schema object; rows that it changed cannot be told",
    };
  const { forwardSql, name } = chain.target;
  const facts = { name, layout: chain.layout, statements, forwardSql, proved, differences };
  return {
    migration: name,
    state: proved ? "proved" : "not_proved",
    message: proved
      ? "tried on a scratch copy without rows: every catalog entry is as before the migration"
      : columnOrderOnly
        ? "tried on a scratch copy: all is as before the migration but for the order of columns"
        : `tried on a scratch copy: ${differences.length} objects are not as before`,
    sql: proposal.sql,
    ...templateText(facts),
    differences,
  };
}

function chainOfFolder(folder: MigrationFolder, name: string): Chain {
  const target = findInFolder(folder, name);
  const earlier = folder.migrations.filter((migration) => compareMigrations(migration, target) < 0);
  return { earlier, target, layout: target.layout };
}

async function chainOfLedger(belay: Belay, name: string): Promise<Chain> {
  return withSession(belay, "belay template", async (session) => {
    const ledger = (await belayInstalled(session)) ? await readLedger(session) : [];
    const found = resolveName(name, ledger);
    const rows = ledger.map((row) => ({
      name: row.name,
      version: row.version,
      file: row.sourceFile,
      forwardSql: row.forwardSql ?? "",
      status: row.status,
    }));
    const target = rows.find((row) => row.name === found);
    if (target === undefined)
      throw new BelayError("unknown_migration", `migration ${name} is not in the ledger`, {
        hint: "Pass --migrations DIR, or run `belay sync`.",
        details: { migration: name },
      });
    const earlier = rows.filter((row) => row.status === "applied" && compareMigrations(row, target) < 0);
    return { earlier, target, layout: target.file.endsWith(".up.sql") ? "up-down-pair" : "section" };
  });
}
