import type { Progress } from "../../context.ts";
import type { OpenedArchive } from "../read/types.ts";

/** How an archive is restored; the same choices must be given again to resume. */
export interface RestoreOptions {
  /** Sessions that work at the same time; default 2. */
  readonly jobs?: number;
  /** `schema.table` of each table wanted, with what it needs; default: everything. */
  readonly tables?: readonly string[];
  /** False: everything belongs to the restoring role. Default true. */
  readonly owners?: boolean;
  /** False: no grants, revokes or default privileges. Default true. */
  readonly grants?: boolean;
  /** False: only what makes objects, no rows. Default true. */
  readonly rows?: boolean;
  /** False: leaves the planner's statistics to autovacuum. Default true. */
  readonly analyze?: boolean;
  /** Goes on with a restore that was cut off, instead of beginning one. */
  readonly resume?: boolean;
  /** Restores beside what is in the database already. */
  readonly intoNonEmpty?: boolean;
  /** Most bytes of memory for each index build; default: found from the server's settings. */
  readonly indexMemoryBytes?: number;
}

export interface RestoreRequest extends RestoreOptions {
  /** The database was made for this restore: its own settings, owner and grants are restored too. */
  readonly made?: boolean;
  readonly archive: OpenedArchive;
  /** The database that is restored into. */
  readonly url: string;
  report?(progress: Progress): void;
}

export type RestorePhase = "preflight" | "schema" | "rows" | "indexes" | "finish" | "analyze";

export interface PhaseTime {
  readonly name: RestorePhase;
  readonly milliseconds: number;
}

/** What a finished restore did. */
export interface RestoreReport {
  /** The archive's place. */
  readonly archive: string;
  readonly format: OpenedArchive["format"];
  /** `database host:port/name`. */
  readonly database: string;
  /** Gone on from where an earlier run was cut off; the numbers hold what that one had done. */
  readonly resumed: boolean;
  /** Entries of the table of contents, or statements of the script, that were carried out. */
  readonly entries: number;
  readonly tables: number;
  readonly rows: number;
  /** Bytes of COPY text or INSERT statements. */
  readonly bytes: number;
  /** RTO is their sum. */
  readonly phases: readonly PhaseTime[];
  /** While rows were loaded; null when there were none. */
  readonly megabytesPerSecond: number | null;
  /** What differs from the archive or was left out, each in words. */
  readonly warnings: readonly string[];
}
