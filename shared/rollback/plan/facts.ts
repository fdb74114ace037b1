import { readCatalog } from "../../catalog/read.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import type { Drift } from "../../migrations/drift/types.ts";
import type { LedgerRow } from "../../migrations/ledger/ledger.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import { databaseError, sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { withParameters } from "../../postgres/settings.ts";
import type { PreparedSql } from "../../sql/prepare.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import { type ResolvedEffect, resolveEffect } from "../effect/effect.ts";
import { entriesOfGraph } from "../effect/graph-entries.ts";
import { graphScope } from "../effect/graph-scope.ts";
import { readDependencyGraph } from "../effect/read-graph.ts";
import { takerOf } from "../effect/taken-by.ts";
import { planCopies } from "../preserve/copies.ts";
import { preserving } from "../preserve/preserve.ts";
import type { Plan } from "../types.ts";
import { type AlsoArchivedFacts, readAlsoArchived, withTheirLocks } from "./also-archived.ts";
import { type Blocker, readBlockers } from "./blockers.ts";
import { readCronJobs } from "./cron-jobs.ts";
import { readDrift } from "./drift-facts.ts";
import { type GateFacts, readGateFacts } from "./gate-facts.ts";
import { type Dependent, readDependents, readSet } from "./ledger-facts.ts";
import { type Losses, readLosses } from "./losses.ts";
import { type DumpFact, findNewestDump } from "./newest-dump.ts";
import { findObstacles, type Obstacle, withFoundDependents } from "./obstacles.ts";
import { findPart, type PartFacts } from "./part.ts";
import type { Policy } from "./policy.ts";
import { type ProvenanceFacts, readProvenance } from "./provenance-facts.ts";
import { type CountedWrite, countWrites } from "./row-writes.ts";
import type { MigrationSet } from "./set.ts";
import { joinSql, type PreparedUnit, placedStatements, prepareUnit, type SyntaxFacts } from "./set-sql.ts";
import { planTarget, requestWords, type TargetRequest } from "./target.ts";

export interface TargetFacts {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly database: string;
}

export interface CheckoutFacts {
  readonly directory: string;
  readonly file: string;
  readonly checksum: string;
}

/** One rollback SQL of the set. */
export interface UnitFacts extends Omit<PreparedUnit, "prepared"> {
  readonly prepared: Pick<PreparedSql, "sql" | "rewrites" | "refusals"> & { readonly statements: number };
  /** The migration whose SQL it is, in the checkout; null: none given or not in it. */
  readonly checkout: CheckoutFacts | null;
}

/** Everything that a plan is made from, read in one go: plain data, no connection. */
export interface Facts {
  readonly target: TargetFacts;
  readonly asked: Plan["target"];
  readonly readAt: string;
  /** In the order in which they run. */
  readonly units: readonly UnitFacts[];
  /** Of the first unit. */
  readonly migration: LedgerRow;
  /** Name and status of every migration that goes, oldest first. */
  readonly together: readonly Pick<LedgerRow, "name" | "status">[];
  /** Migrations that were to stay, and that rollback SQL of the set reverses all the same. */
  readonly beyond: readonly string[];
  readonly dependents: readonly Dependent[];
  /** What makes a DROP without CASCADE fail. */
  readonly obstacles: readonly Obstacle[];
  /** Of all units, one after another. */
  readonly prepared: UnitFacts["prepared"];
  /** Of the first unit that does not parse. */
  readonly syntax: SyntaxFacts | null;
  readonly effect: ResolvedEffect;
  /** Hash of every entry that the effect touches, as it is today. */
  readonly entryHashes: Readonly<Record<string, string>>;
  /** Objects in the way that the catalog reader cannot write. */
  readonly unknownKinds: readonly string[];
  readonly losses: Losses;
  /** What is kept in the database, and where. */
  readonly preserve: Plan["preserve"];
  readonly alsoArchived: Plan["alsoArchived"];
  readonly writes: readonly CountedWrite[];
  /** Scheduled jobs that name something that goes. */
  readonly jobs: Plan["effect"]["jobs"];
  readonly locks: Plan["locks"];
  readonly blockers: readonly Blocker[];
  readonly provenance: ProvenanceFacts;
  /** Of what the effect touches and the migrations made. */
  readonly drift: Drift;
  /** The same migration in the checkout; null: none given or not in it. */
  readonly checkout: CheckoutFacts | null;
  /** The archive store, without credentials; null when none is set. */
  readonly storeUrl: string | null;
  /** null: not asked for yet. */
  readonly reason: string | null;
  /** For the gates that rest on what lies outside of the migration. */
  readonly evidence: GateFacts;
  /** What could go although the set cannot; null also when the set can. */
  readonly part: PartFacts | null;
}

export interface FactsOptions {
  readonly reason?: string;
  readonly folder?: MigrationFolder | null;
  readonly policy?: Policy;
  /** Found before: under locks the store is not asked again. */
  readonly dump?: DumpFact;
}

/**
 * Reads what a plan needs on the given session, in its transaction if it is in one; sets nothing that stays.
 * Throws `unknown_migration`, `unknown_deployment`, `belay_not_installed`, or `usage` when nothing is left to go.
 */
export async function gatherFacts(
  session: Session,
  belay: Belay,
  request: TargetRequest,
  options: FactsOptions = {},
): Promise<Facts> {
  try {
    return await readFacts(session, belay, request, options);
  } catch (error) {
    if (isBelayError(error)) throw error;
    if (sqlStateOf(error) === sqlState.undefinedTable && /belay\./.test(String((error as Error).message)))
      throw new BelayError("belay_not_installed", "the schema belay is not in this database", {
        hint: "Run `belay init`, or apply supabase/migrations/20261120000000_belay.sql.",
        cause: error,
      });
    const doing = `planning the rollback of ${requestWords(request)}`;
    throw databaseError(error, { url: belay.settings.database, doing });
  }
}

// Catalog queries look dear to the planner and are not: compiling them can take seconds.
const readSettings = { jit: "off" };

/** What is read once, whatever part of the set is looked at. */
interface Common {
  readonly session: Session;
  readonly belay: Belay;
  readonly request: TargetRequest;
  readonly options: FactsOptions;
  readonly graph: DependencyGraph;
  readonly catalog: Catalog;
  readonly target: TargetFacts;
  readonly dump: DumpFact;
  readonly also: AlsoArchivedFacts;
}

async function readFacts(
  session: Session,
  belay: Belay,
  request: TargetRequest,
  options: FactsOptions,
): Promise<Facts> {
  const set = await readSet(session, request);
  const scope = graphScope(placedStatements(set.units.map(prepareUnit)));
  const graph = await withParameters(session, readSettings, () => readDependencyGraph(session, scope));
  const only = entriesOfGraph(graph);
  const catalog = await readCatalog(session, only === null ? {} : { only, exact: true });
  const target = await readTarget(session);
  const dump = options.dump ?? (await findNewestDump(belay, target));
  const policy = options.policy ?? belay.settings.policy;
  const also = await readAlsoArchived(session, request.archive ?? [], policy.countUpToRows);
  const common = { session, belay, request, options, graph, catalog, target, dump, also };
  const facts = await factsOf(common, set);
  return { ...facts, part: await findPart(facts, set, policy, (smaller) => factsOf(common, smaller)) };
}

async function factsOf(common: Common, set: MigrationSet): Promise<Facts> {
  const { session, belay, request, options, graph, catalog, target, dump, also } = common;
  const policy = options.policy ?? belay.settings.policy;
  const written = set.units.map(prepareUnit);
  const replayed = resolveEffect(placedStatements(written), graph, catalog);
  const mode = request.preserve ?? policy.preserve.mode;
  const preserved = await preserving(session, mode, { units: written, effect: replayed, graph, catalog });
  const { units, effect } = preserved;
  const together = set.rows.map((each) => each.name);
  const obstacles = findObstacles(effect, catalog, graph);
  const provenance = await readProvenance(session, together, replayed, catalog, graph, obstacles);
  const losses = await readLosses(session, effect, graph, {
    appliedAt: set.rows[0]!.appliedAt,
    countUpToRows: policy.countUpToRows,
    createdTables: new Set(provenance.createdTables),
    takenBy: (oid) => units[takerOf(effect.takenBy, oid)]!.migration.name,
  });
  const kept = mode === "copy" ? await planCopies(session, set.units[0]!.migration, losses) : preserved.preserve;
  const { overreach, makers } = provenance;
  const locks = withTheirLocks(nameLocks(effect, graph), also);
  const { migration } = units[0]!;
  return {
    target,
    asked: planTarget(request),
    readAt: belay.now().toISOString(),
    units: units.map((unit) => unitFacts(unit, options.folder ?? null)),
    migration,
    together: set.rows.map(({ name, status }) => ({ name, status })),
    beyond: set.beyond,
    dependents: withFoundDependents(await readDependents(session, together), obstacles, overreach, makers, together),
    obstacles,
    prepared: joinSql(units),
    syntax: units.find((unit) => unit.syntax !== null)?.syntax ?? null,
    effect,
    entryHashes: hashesOf(effect, catalog),
    unknownKinds: unknownInTheWay(effect, catalog),
    losses: { ...losses, unreadable: [...losses.unreadable, ...also.unreadable] },
    preserve: { ...kept, days: policy.preserve.days },
    alsoArchived: [...also.archived],
    writes: await countWrites(session, effect.writes, graph),
    jobs: await readCronJobs(session, { objects: effect.objects, columns: losses.columns }),
    locks,
    blockers: await readBlockers(session, [...effect.locks, ...locks]),
    provenance,
    drift: await readDrift(session, effect, catalog, provenance),
    checkout: findInCheckout(migration.name, options.folder ?? null),
    storeUrl: storeUrl(belay),
    reason: options.reason ?? null,
    evidence: await readGateFacts(session, belay, { migrations: set.rows, target, dump }),
    part: null,
  };
}

function unitFacts(unit: PreparedUnit, folder: MigrationFolder | null): UnitFacts {
  const { prepared } = unit;
  return {
    ...unit,
    prepared: { ...prepared, statements: prepared.statements.length },
    checkout: findInCheckout(unit.migration.name, folder),
  };
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
