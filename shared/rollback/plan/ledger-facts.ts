import { BelayError, isBelayError } from "../../errors.ts";
import { type LedgerRow, readLedger, readLedgerMigration } from "../../migrations/ledger.ts";
import type { Session } from "../../postgres/session.ts";
import { listed } from "../../words.ts";

/** A migration that needs this one, or one that needs it, and is still applied. */
export interface Dependent {
  readonly migration: string;
  readonly version: string;
  readonly found: "declared" | "catalog";
  readonly why: string;
}

export interface LedgerFacts {
  readonly migration: LedgerRow;
  /** All migrations that the same rollback SQL reverses, this one too, oldest first. */
  readonly together: readonly LedgerRow[];
  /** Newest first: the order in which they can go. */
  readonly dependents: readonly Dependent[];
}

/**
 * Reads the migration's row and current revision: the rollback SQL is the ledger's, never the checkout's.
 * `name`: a migration's name, file name or version, or `latest`. Throws `unknown_migration` naming near matches.
 */
export async function readLedgerFacts(session: Session, name: string): Promise<LedgerFacts> {
  const migration = await readLedgerMigration(session, name).catch((error) => nameNearMatches(session, name, error));
  const together = await reversedTogether(session, migration);
  const names = together.map((each) => each.name);
  const dependents = await session.sql`
    with recursive needs as (
      select d.migration_name as name, d.found, d.why, d.depends_on
        from belay.migration_dependencies d join belay.migration_history h using (migration_name)
       where d.migration_name <> all(${names}::text[]) and h.status <> 'rolled_back'
    ), standing (name) as (
      select name from needs where depends_on = any(${names}::text[])
      union
      select needs.name from standing join needs on needs.depends_on = standing.name
    )
    select n.name as migration, h.migration_version as version, min(n.found) as found,
           array_agg(distinct n.why order by n.why) as reasons
      from standing join needs n using (name) join belay.migration_history h on h.migration_name = n.name
     where n.depends_on = any(${names}::text[]) or n.depends_on in (select name from standing)
     group by n.name, h.migration_version
     order by h.migration_version desc, n.name desc`;
  return {
    migration,
    together,
    dependents: dependents.map((each) => ({
      migration: each.migration,
      version: each.version,
      found: each.found,
      why: listed(each.reasons, 3, "; "),
    })),
  };
}

async function reversedTogether(session: Session, migration: LedgerRow): Promise<LedgerRow[]> {
  const reverses = Array.isArray(migration.metadata.reverses) ? (migration.metadata.reverses as unknown[]) : [];
  if (!reverses.some((name) => name !== migration.name)) return [migration];
  const ledger = await readLedger(session);
  return ledger.filter((row) => row.name === migration.name || reverses.includes(row.name));
}

async function nameNearMatches(session: Session, name: string, error: unknown): Promise<never> {
  if (!isBelayError(error, "unknown_migration")) throw error;
  const near = nearNames(
    name,
    (await readLedger(session)).map((each) => each.name),
  );
  if (near.length === 0) throw error;
  throw new BelayError("unknown_migration", error.message, {
    hint: `Did you mean ${near.join(" or ")}?`,
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
