import type { layoutNames } from "../config.ts";

export type LayoutName = (typeof layoutNames)[number];

/** A place in a file, for errors: 1-based line and column. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** Rollback SQL as found in a team's files. */
export interface RollbackSql {
  readonly sql: string;
  readonly file: string;
  /** 1-based line in `file` where `sql` begins. */
  readonly line: number;
  /** Names of all migrations that this SQL reverses; more than one for a rollbacks folder's file. */
  readonly reverses: readonly string[];
  /** Names with which the file itself ran, when the SQL is not commented out. */
  readonly selfReversing: boolean;
}

/** Whether a migration's tool runs each part in a transaction; false only where the file says so. */
export interface Transactional {
  readonly up: boolean;
  readonly down: boolean;
}

/** One forward SQL file with its version, name and rollback SQL. */
export interface Migration {
  /** File name without extension or direction: `20250120_add_user_settings`. The ledger's migration_name. */
  readonly name: string;
  readonly version: string;
  readonly layout: LayoutName;
  readonly file: string;
  readonly forwardSql: string;
  /** null when missing, empty or only comments. */
  readonly rollback: RollbackSql | null;
  /** Where rollback SQL has its place, but holds nothing or only comments; null when there is no such place, or SQL in it. */
  readonly emptyRollback: SourcePlace | null;
  readonly transactional: Transactional;
  /** sha256 (hex) of the forward part alone: the checksum gate. */
  readonly checksum: string;
  /** sha256 (hex) of the whole file (and of the rollback's file, when apart). */
  readonly fileChecksum: string;
  readonly dependsOn: readonly { readonly name: string; readonly place: SourcePlace }[];
  /** `-- VERIFY START/END` section, if any. */
  readonly verifySql: string | null;
}

/**
 * What can be wrong in a migrations folder. `bad_marker`: markers out of order, twice, or unknown. `duplicate_rollback`:
 * two texts reverse one migration. `orphan_rollback`: rollback SQL of a migration that is not there. `mixed_layout`: a
 * file of another layout than the folder's. `ambiguous_layout`: two layouts fit equally well. `left_out`: no migration
 * and no rollback. `trap`: the team's tool runs rollback SQL as a migration, or skips a migration. `not_supported`: the
 * tool does something with the file that Belay does not.
 */
export const problemCodes = [
  "cycle",
  "duplicate_version",
  "unknown_dependency",
  "unterminated_section",
  "self_reversing",
  "empty_rollback",
  "unreadable",
  "bad_marker",
  "duplicate_rollback",
  "orphan_rollback",
  "mixed_layout",
  "ambiguous_layout",
  "left_out",
  "trap",
  "not_supported",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

export interface LayoutProblem {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly place: SourcePlace;
}

/** Why a folder is read in its layout: how many migrations each layout would find, and one sentence for people. */
export interface LayoutDetection {
  readonly chosen: "given" | "found";
  readonly reason: string;
  readonly votes: Readonly<Partial<Record<LayoutName, number>>>;
}

/** All that a migrations folder holds. */
export interface MigrationFolder {
  readonly directory: string;
  readonly layout: LayoutName;
  readonly detection: LayoutDetection;
  /** In version order. */
  readonly migrations: readonly Migration[];
  readonly problems: readonly LayoutProblem[];
}

export type MigrationStatus = "applied" | "rolled_back" | "failed";

/** A row of belay.migration_history with its current revision. */
export interface LedgerMigration {
  readonly name: string;
  readonly version: string;
  readonly status: MigrationStatus;
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly rollbackSql: string | null;
  readonly forwardSql: string | null;
  readonly verifySql: string | null;
  readonly checksum: string;
  readonly rollbackAt: string | null;
  readonly rollbackBy: string | null;
  readonly notes: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly revision: number;
  /** Declared and found dependencies: names of migrations that must stay while this one is applied. */
  readonly dependsOn: readonly string[];
  readonly dependents: readonly string[];
}

/** The table in which the team's own tool records what it applied. */
export interface TrackingTable {
  readonly tool: "supabase" | "golang-migrate" | "dbmate" | "goose" | "flyway" | "sql-migrate" | "diesel" | "prisma";
  readonly schema: string;
  readonly table: string;
}
