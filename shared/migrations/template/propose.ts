import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import { belayInstalled } from "../../install.ts";
import { withScratch } from "../../postgres/scratch.ts";
import type { Session } from "../../postgres/session.ts";
import type { Risk } from "../../rollback/types.ts";
import { withSession } from "../../with-session.ts";
import { readIdentities } from "../inverse/identities.ts";
import { type InverseProposal, proposeInverse } from "../inverse/propose.ts";
import { compareMigrations } from "../layouts/source.ts";
import { readLedger } from "../ledger/ledger.ts";
import { findInFolder } from "../ledger/register.ts";
import { purposeOf } from "../purpose.ts";
import { resolveName } from "../resolve.ts";
import { type Replayable, setUpScratch } from "../sync/replay.ts";
import { runForward } from "../sync/run-forward.ts";
import type { LayoutName, MigrationFolder } from "../types.ts";
import { asLayoutText } from "./place.ts";
import { templateText } from "./text.ts";
import { verificationQueries } from "./verification.ts";

/** A proposed rollback of a migration. */
export interface TemplateProposal {
  readonly migration: string;
  /**
   * `proved`: tried on a scratch copy, and every catalog entry was as before. `column_order`: all but the order of
   * columns. `not_proved`: tried, and it was not as before. `refused`: it would drop what was there before the
   * migration. `nothing_to_do`: the migration changes no schema object. `not_available`: it could not be computed or
   * tried; `message` says why.
   */
  readonly state: "proved" | "column_order" | "not_proved" | "refused" | "nothing_to_do" | "not_available";
  readonly message: string;
  readonly sql: string | null;
  readonly statements: readonly string[];
  /** The documentation block and the SQL, without a layout's markers. */
  readonly body: string | null;
  /** The same, ready to paste: as the layout has it. */
  readonly text: string | null;
  readonly risk: Risk | null;
  readonly riskReasons: readonly string[];
  readonly destroys: readonly string[];
  readonly notBroughtBack: readonly string[];
  readonly failsOn: readonly string[];
  /** Objects in which the tried proposal differs from the state before. */
  readonly differences: readonly string[];
}

interface Chain {
  /** All migrations in the order in which they are applied, up to the last target. */
  readonly migrations: readonly Replayable[];
  readonly targets: ReadonlySet<string>;
  readonly layout: LayoutName;
}

/** Two scratch databases: one is a migration behind the other. */
interface Pair {
  readonly before: { readonly url: string; readonly session: Session };
  readonly after: { readonly url: string; readonly session: Session };
}

/**
 * Proposes rollback SQL for some migrations from the states before and after each, built on scratch databases from the
 * folder's migrations (else the ledger's), and tries it there. Throws `unknown_migration`, `scratch_unavailable`.
 */
export async function proposeTemplates(
  belay: Belay,
  names: readonly string[],
  folder?: MigrationFolder,
): Promise<TemplateProposal[]> {
  const chain = folder === undefined ? await chainOfLedger(belay, names) : chainOfFolder(folder, names);
  return await withScratch(belay, "template before", (before) =>
    withScratch(belay, "template after", (after) => walk(belay, chain, { before, after })),
  );
}

/** The same for one migration. */
export async function proposeTemplate(belay: Belay, name: string, folder?: MigrationFolder): Promise<TemplateProposal> {
  const [proposal] = await proposeTemplates(belay, [name], folder);
  return proposal!;
}

async function walk(belay: Belay, chain: Chain, pair: Pair): Promise<TemplateProposal[]> {
  const proposals: TemplateProposal[] = [];
  const targets = chain.migrations.filter(({ name }) => chain.targets.has(name));
  let broken: string | null = null;
  for (const { session } of [pair.before, pair.after]) await setUpScratch(belay, session);
  for (const [index, migration] of chain.migrations.entries()) {
    const progress = { done: index + 1, total: chain.migrations.length, unit: "migrations" as const };
    belay.report({ phase: "template", message: migration.name, ...progress });
    const wanted = chain.targets.has(migration.name);
    try {
      if (wanted) proposals.push(await proposeNext(migration, pair, chain.layout));
      else await runForward(pair.after.session, migration);
      if (proposals.length < targets.length) await runForward(pair.before.session, migration);
    } catch (error) {
      if (!isBelayError(error, "sql_failed")) throw error;
      broken = error.message;
      break;
    }
  }
  const open = targets.slice(proposals.length);
  return [...proposals, ...open.map(({ name }) => without(name, "not_available", broken!))];
}

/** Applies the migration to the database of after, and looks for the way back to the one of before. */
async function proposeNext(migration: Replayable, pair: Pair, layout: LayoutName): Promise<TemplateProposal> {
  const { before, after } = pair;
  const wanted = await readSnapshotCatalog(after.session);
  const identities = await readIdentities(after.session);
  await runForward(after.session, migration);
  const proposal = await proposeInverse({ beforeUrl: before.url, after, wanted, identities });
  if (proposal.refusal !== null) {
    const isLoss = proposal.refusal.startsWith("it would drop");
    return { ...without(migration.name, isLoss ? "refused" : "not_available", proposal.refusal) };
  }
  if (proposal.statements.length === 0) return nothingToDo(migration.name);
  const verification = verificationQueries(wanted, await readSnapshotCatalog(after.session));
  return describe(migration, proposal, verification, layout);
}

function nothingToDo(name: string): TemplateProposal {
  const message = "the migration changes no schema object; rows that it changed cannot be told";
  return without(name, "nothing_to_do", message);
}

function without(migration: string, state: TemplateProposal["state"], message: string): TemplateProposal {
  const texts = { sql: null, body: null, text: null, risk: null };
  const lists = { statements: [], riskReasons: [], destroys: [], notBroughtBack: [], failsOn: [], differences: [] };
  return { migration, state, message, ...texts, ...lists };
}

function describe(
  { name, forwardSql }: Replayable,
  proposal: InverseProposal,
  verification: readonly string[],
  layout: LayoutName,
): TemplateProposal {
  const { statements, differences, proved, columnOrderOnly, sql } = proposal;
  const purpose = `undoes "${purposeOf({ name, forwardSql })}"`;
  const written = templateText({ name, purpose, statements, forwardSql, verification, proved, differences });
  return {
    migration: name,
    state: proved ? "proved" : columnOrderOnly ? "column_order" : "not_proved",
    message: proved
      ? "tried on a scratch copy without rows: every catalog entry is as before the migration"
      : columnOrderOnly
        ? "tried on a scratch copy without rows: all is as before the migration but for the order of columns, which Postgres cannot give back"
        : `tried on a scratch copy: ${differences.length} objects are not as before`,
    sql,
    statements,
    text: asLayoutText(layout, written.body, name),
    ...written,
    differences,
  };
}

function chainOfFolder(folder: MigrationFolder, names: readonly string[]): Chain {
  const targets = names.map((name) => findInFolder(folder, name));
  const last = targets.toSorted(compareMigrations).at(-1);
  const migrations = last === undefined ? [] : folder.migrations.filter((one) => compareMigrations(one, last) <= 0);
  return { migrations, targets: new Set(targets.map(({ name }) => name)), layout: targets[0]?.layout ?? folder.layout };
}

async function chainOfLedger(belay: Belay, names: readonly string[]): Promise<Chain> {
  return withSession(belay, "belay template", async (session) => {
    const ledger = (await belayInstalled(session)) ? await readLedger(session) : [];
    const rows = ledger.map((row) => ({
      name: row.name,
      version: row.version,
      file: row.sourceFile,
      forwardSql: row.forwardSql ?? "",
      status: row.status,
    }));
    const targets = names.map((name) => rowOf(rows, resolveName(name, ledger), name));
    const last = targets.toSorted(compareMigrations).at(-1)!;
    const wanted = new Set(targets.map(({ name }) => name));
    const applied = rows.filter((row) => row.status === "applied" || wanted.has(row.name));
    return {
      migrations: applied.filter((row) => compareMigrations(row, last) <= 0).sort(compareMigrations),
      targets: wanted,
      layout: last.file.endsWith(".up.sql") ? "up-down-pair" : "section",
    };
  });
}

function rowOf<T extends { readonly name: string }>(rows: readonly T[], found: string | null, name: string): T {
  const row = rows.find((one) => one.name === found);
  if (row !== undefined) return row;
  throw new BelayError("unknown_migration", `migration ${name} is not in the ledger`, {
    hint: "Pass --migrations DIR, or run `belay sync`.",
    details: { migration: name },
  });
}
