import { readCatalog } from "../../catalog/read.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import type { LedgerRow } from "../../migrations/ledger.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import { databaseError, sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type PreparedSql, prepareRollbackSql } from "../../sql/prepare.ts";
import { type DependencyGraph, readDependencyGraph } from "../effect/dependency-graph.ts";
import { type ResolvedEffect, resolveEffect } from "../effect/effect.ts";
import type { Plan } from "../types.ts";
import { type Blocker, readBlockers } from "./blockers.ts";
import { type Dependent, readLedgerFacts } from "./ledger-facts.ts";
import { type Losses, readLosses } from "./losses.ts";
import { findObstacles, type Obstacle, withFoundDependents } from "./obstacles.ts";
import { defaultPolicy, type Policy } from "./policy.ts";
import { type ProvenanceFacts, readProvenance } from "./provenance-facts.ts";

export interface TargetFacts {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly database: string;
}

/** Where the rollback SQL is broken. */
export interface SyntaxFacts {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface CheckoutFacts {
  readonly directory: string;
  readonly file: string;
  readonly checksum: string;
}

/** Everything that a plan is made from, read in one go: plain data, no connection. */
export interface Facts {
  readonly target: TargetFacts;
  readonly readAt: string;
  readonly migration: LedgerRow;
  /** Name and status of every migration that the same rollback SQL reverses, this one too, oldest first. */
  readonly together: readonly Pick<LedgerRow, "name" | "status">[];
  readonly dependents: readonly Dependent[];
  /** What makes a DROP without CASCADE fail. */
  readonly obstacles: readonly Obstacle[];
  /** null when there is no rollback SQL or it does not parse. */
  readonly prepared: Pick<PreparedSql, "sql" | "rewrites" | "refusals"> & { readonly statements: number };
  readonly syntax: SyntaxFacts | null;
  readonly effect: ResolvedEffect;
  /** Hash of every entry that the effect touches, as it is today. */
  readonly entryHashes: Readonly<Record<string, string>>;
  /** Objects in the way that the catalog reader cannot write. */
  readonly unknownKinds: readonly string[];
  readonly losses: Losses;
  readonly locks: Plan["locks"];
  readonly blockers: readonly Blocker[];
  readonly provenance: ProvenanceFacts;
  /** The same migration in the checkout; null: none given or not in it. */
  readonly checkout: CheckoutFacts | null;
  /** The archive store, without credentials; null when none is set. */
  readonly storeUrl: string | null;
  /** null: not asked for yet. */
  readonly reason: string | null;
}

export interface FactsOptions {
  readonly reason?: string;
  readonly folder?: MigrationFolder | null;
  readonly policy?: Policy;
}

/**
 * Reads what a plan needs on the given session, in its transaction if it is in one; sets nothing that stays.
 * `migration`: a name, file name, version or `latest`. Throws `unknown_migration` or `belay_not_installed`.
 */
export async function gatherFacts(
  session: Session,
  belay: Belay,
  migration: string,
  options: FactsOptions = {},
): Promise<Facts> {
  try {
    return await readFacts(session, belay, migration, options);
  } catch (error) {
    if (isBelayError(error)) throw error;
    if (sqlStateOf(error) === sqlState.undefinedTable && /belay\./.test(String((error as Error).message)))
      throw new BelayError("belay_not_installed", "the schema belay is not in this database", {
        hint: "Run `belay init`, or apply supabase/migrations/20261120000000_belay.sql.",
        cause: error,
      });
    throw databaseError(error, { url: belay.settings.database, doing: `planning the rollback of ${migration}` });
  }
}

async function readFacts(session: Session, belay: Belay, name: string, options: FactsOptions): Promise<Facts> {
  const policy = options.policy ?? defaultPolicy;
  const ledger = await readLedgerFacts(session, name);
  const { migration } = ledger;
  const { prepared, syntax } = prepare(migration);
  const graph = await readDependencyGraph(session);
  const catalog = await readCatalog(session);
  const effect = resolveEffect(prepared.statements, graph, catalog);
  const together = ledger.together.map((each) => each.name);
  const obstacles = findObstacles(effect, catalog, graph);
  const provenance = await readProvenance(session, together, effect, catalog, graph, obstacles);
  const losses = await readLosses(session, effect, graph, {
    appliedAt: migration.appliedAt,
    countUpToRows: policy.countUpToRows,
    createdTables: new Set(provenance.createdTables),
  });
  const { overreach, makers } = provenance;
  return {
    target: await readTarget(session),
    readAt: belay.now().toISOString(),
    migration,
    together: ledger.together.map(({ name: each, status }) => ({ name: each, status })),
    dependents: withFoundDependents(ledger.dependents, obstacles, overreach, makers, together),
    obstacles,
    prepared: { ...prepared, statements: prepared.statements.length },
    syntax,
    effect,
    entryHashes: hashesOf(effect, catalog),
    unknownKinds: unknownInTheWay(effect, catalog),
    losses,
    locks: nameLocks(effect, graph),
    blockers: await readBlockers(session, effect.locks),
    provenance,
    checkout: findInCheckout(migration.name, options.folder ?? null),
    storeUrl: storeUrl(belay),
    reason: options.reason ?? null,
  };
}

function prepare(migration: LedgerRow): { prepared: PreparedSql; syntax: SyntaxFacts | null } {
  const nothing: PreparedSql = { sql: "", statements: [], rewrites: [], refusals: [] };
  if (migration.rollbackSql === null) return { prepared: nothing, syntax: null };
  const line = Number(migration.metadata.rollbackLine ?? 1);
  try {
    const place = { file: String(migration.metadata.rollbackFile ?? migration.sourceFile), line: line > 0 ? line : 1 };
    return { prepared: prepareRollbackSql(migration.rollbackSql, place), syntax: null };
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    const { line: at, column } = error.details;
    const syntax = { message: error.message, line: (at as number) ?? null, column: (column as number) ?? null };
    return { prepared: nothing, syntax };
  }
}

async function readTarget(session: Session): Promise<TargetFacts> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_control_system()) as system, oid::int8 as oid, datname as name
      from pg_database where datname = current_database()`;
  return { systemIdentifier: row!.system, databaseOid: Number(row!.oid), database: row!.name };
}

function nameLocks(effect: ResolvedEffect, graph: DependencyGraph): Plan["locks"] {
  const relations = new Map(
    graph.objects.filter((each) => each.family === "relation").map((each) => [each.objid, each]),
  );
  return effect.locks
    .flatMap(({ oid, mode, because, mayChangeRows, withTable }) => {
      const relation = relations.get(oid);
      if (relation === undefined || withTable) return [];
      return [{ schema: relation.schema ?? "", relation: relation.name, oid, mode, because, mayChangeRows }];
    })
    .sort((a, b) => a.oid - b.oid);
}

function hashesOf(effect: ResolvedEffect, catalog: Catalog): Record<string, string> {
  const touched = new Set(effect.objects.map((each) => each.key));
  return Object.fromEntries(
    catalog.entries.filter((entry) => touched.has(entry.key)).map((entry) => [entry.key, entry.hash]),
  );
}

function unknownInTheWay(effect: ResolvedEffect, catalog: Catalog): string[] {
  const gone = new Set(effect.gone);
  return catalog.unknown
    .filter(({ address }) => gone.has(`${address.classid}/${address.objid}/0`))
    .map(({ kind, identity }) => `${kind} ${identity}`);
}

function findInCheckout(name: string, folder: MigrationFolder | null): CheckoutFacts | null {
  const found = folder?.migrations.find((each) => each.name === name);
  if (folder === null || found === undefined) return null;
  return { directory: folder.directory, file: found.file, checksum: found.checksum };
}

function storeUrl(belay: Belay): string | null {
  try {
    return belay.store.url;
  } catch (error) {
    if (isBelayError(error, "usage")) return null;
    throw error;
  }
}
