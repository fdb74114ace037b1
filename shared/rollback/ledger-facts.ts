import { BelayError } from "../errors.ts";
import { resolveName } from "../migrations/resolve.ts";
import type { LedgerMigration, MigrationStatus } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";

/** A migration that needs this one and is still applied. */
export interface Dependent {
  readonly migration: string;
  readonly found: "declared" | "catalog";
  readonly why: string;
}

export interface LedgerFacts {
  readonly migration: LedgerMigration;
  /** File that the current revision was registered from. */
  readonly sourceFile: string;
  readonly dependents: readonly Dependent[];
}

/**
 * Reads the migration's row and current revision: the rollback SQL is the ledger's, never the checkout's.
 * `name`: a migration's name, file name or version, or `latest`. Throws `unknown_migration` naming near matches.
 */
export async function readLedgerFacts(session: Session, name: string): Promise<LedgerFacts> {
  const known = await session.sql`
    select migration_name as name, migration_version as version, status from belay.migration_history
     order by migration_version, migration_name`;
  const applied = known.filter((row) => row.status === "applied");
  const list = known.map((row) => ({ name: row.name as string, version: row.version as string }));
  const found = name === "latest" ? (applied.at(-1)?.name as string | undefined) : resolveName(name, list);
  if (found === undefined || found === null)
    throw unknownMigration(
      name,
      list.map((each) => each.name),
    );
  return await readMigration(session, found);
}

async function readMigration(session: Session, name: string): Promise<LedgerFacts> {
  const [row] = await session.sql`
    select h.migration_name, h.migration_version, h.status, h.applied_by, h.rollback_sql, h.checksum, h.rollback_by, h.notes, h.metadata,
           to_json(h.applied_at) #>> '{}' as applied_at, to_json(h.rollback_at) #>> '{}' as rollback_at,
           r.revision, r.forward_sql, r.verify_sql, r.source_file
      from belay.migration_history h
           left join lateral (select * from belay.migration_revisions r where r.migration_name = h.migration_name
                               order by r.revision desc limit 1) r on true
     where h.migration_name = ${name}`;
  const needs = await session.sql`
    select depends_on from belay.migration_dependencies where migration_name = ${name} order by 1`;
  const dependents = await session.sql`
    select d.migration_name as migration, d.found, d.why
      from belay.migration_dependencies d join belay.migration_history h on h.migration_name = d.migration_name
     where d.depends_on = ${name} and h.status <> 'rolled_back'
     order by h.migration_version desc, d.migration_name desc`;
  const migration: LedgerMigration = {
    name: row!.migration_name,
    version: row!.migration_version,
    status: row!.status as MigrationStatus,
    appliedAt: row!.applied_at,
    appliedBy: row!.applied_by,
    rollbackSql: row!.rollback_sql,
    forwardSql: row!.forward_sql,
    verifySql: row!.verify_sql,
    checksum: row!.checksum,
    rollbackAt: row!.rollback_at,
    rollbackBy: row!.rollback_by,
    notes: row!.notes,
    metadata: row!.metadata,
    revision: row!.revision ?? 0,
    dependsOn: needs.map((each) => each.depends_on as string),
    dependents: dependents.map((each) => each.migration as string),
  };
  return {
    migration,
    sourceFile: row!.source_file ?? `${name}.sql`,
    dependents: dependents.map((each) => ({ migration: each.migration, found: each.found, why: each.why })),
  };
}

function unknownMigration(name: string, known: readonly string[]): BelayError {
  const near = nearNames(name, known);
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}?`
      : "See `belay list` for the migrations in the ledger, or run `belay sync` to register new ones.";
  return new BelayError("unknown_migration", `migration ${name} is not in the ledger`, {
    hint,
    details: { migration: name, near },
  });
}

/** Up to three names that hold the text or share most of their three-letter runs with it. */
export function nearNames(name: string, known: readonly string[]): string[] {
  const wanted = runs(name);
  const scored = known.map((each) => {
    const have = runs(each);
    const shared = [...wanted].filter((run) => have.has(run)).length;
    const holds = name.length > 2 && each.toLowerCase().includes(name.toLowerCase());
    return { each, score: holds ? 1 : (2 * shared) / (wanted.size + have.size || 1) };
  });
  return scored
    .filter(({ score }) => score >= 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ each }) => each);
}

function runs(text: string): Set<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 2) }, (_, at) => lower.slice(at, at + 3)));
}
