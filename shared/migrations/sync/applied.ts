import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { compareMigrations } from "../layouts/source.ts";
import type { LedgerRow } from "../ledger/ledger.ts";
import { resolveName } from "../resolve.ts";
import { appliedAtOf, isTracked, readTracking, sameVersion, type Tracking } from "../tracking/tables.ts";
import { trackingTools } from "../tracking/tools.ts";
import type { MigrationFolder } from "../types.ts";

interface Versioned {
  readonly name: string;
  readonly version: string;
}

/** Answers what is applied, by the team's tool or by what the caller said. */
export interface Applied {
  readonly tracking: Tracking | null;
  has(migration: Versioned): boolean;
  isDirty(migration: Versioned): boolean;
  /** When, by the tool's own table (goose, flyway); null when it does not say. */
  at(migration: Versioned): string | null;
  /** A rolled back migration that the tool has applied since. */
  isAppliedAgain(row: LedgerRow): boolean;
}

/** Reads what is applied. Without a tracking table and without `appliedTo`, what the ledger holds is. Throws `usage`, `unknown_migration`. */
export async function appliedByTool(
  session: Session,
  folder: Pick<MigrationFolder, "migrations">,
  ledger: readonly LedgerRow[],
  appliedTo?: string,
): Promise<Applied> {
  const tracking = await readTracking(
    session,
    folder.migrations.map((migration) => migration.version),
  );
  if (appliedTo !== undefined) return upTo(folder, tracking, appliedTo);
  if (tracking !== null) return byTracking(tracking);
  if (ledger.length === 0 && folder.migrations.length > 0)
    throw new BelayError("usage", "nothing in this database says which migrations are applied", {
      hint: `No tracking table of ${Object.keys(trackingTools).join(", ")} was found. Say it: belay sync --applied-to VERSION.`,
    });
  const names = new Set(ledger.filter((row) => row.status !== "rolled_back").map((row) => row.name));
  return {
    tracking: null,
    has: (migration) => names.has(migration.name),
    isDirty: () => false,
    at: () => null,
    isAppliedAgain: () => false,
  };
}

function byTracking(tracking: Tracking): Applied {
  return {
    tracking,
    has: (migration) => isTracked(tracking, migration.version, migration.name),
    isDirty: (migration) => tracking.dirty !== null && sameVersion(tracking.dirty, migration.version),
    at: (migration) => appliedAtOf(tracking, migration.version),
    isAppliedAgain: (row) => isTracked(tracking, row.version, row.name) && !stoodAbove(row),
  };
}

// golang-migrate keeps one number: a migration rolled back below it is still "applied" by that number.
function stoodAbove(row: LedgerRow): boolean {
  const kept = row.metadata.tracking as { tool?: string; pointer?: string | null } | undefined;
  if (kept?.tool !== "golang-migrate") return false;
  return kept.pointer !== null && kept.pointer !== undefined && BigInt(kept.pointer) >= BigInt(row.version);
}

function upTo(folder: Pick<MigrationFolder, "migrations">, tracking: Tracking | null, appliedTo: string): Applied {
  const name = appliedTo === "latest" ? (folder.migrations.at(-1)?.name ?? null) : resolve(appliedTo, folder);
  const last = folder.migrations.find((migration) => migration.name === name);
  if (last === undefined)
    throw new BelayError("unknown_migration", `no migration ${appliedTo} is in the folder`, {
      hint: "Give a version or a name as `belay list` shows it.",
      details: { migration: appliedTo },
    });
  return {
    tracking,
    has: (migration) => compareMigrations(migration, last) <= 0,
    isDirty: () => false,
    at: (migration) => (tracking === null ? null : appliedAtOf(tracking, migration.version)),
    // Said in general, it does not prove that one that was rolled back was applied again: `belay register NAME` says so.
    isAppliedAgain: () => false,
  };
}

function resolve(written: string, folder: Pick<MigrationFolder, "migrations">): string | null {
  const exact = resolveName(written, folder.migrations);
  return exact ?? folder.migrations.find((migration) => sameVersion(migration.version, written))?.name ?? null;
}
