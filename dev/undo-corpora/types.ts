import type { Migration } from "../../shared/migrations/types.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import type { Seeded } from "./seed.ts";
import type { LevelState } from "./state.ts";

export interface WalkOptions {
  /** Generated rows per table. */
  readonly rows: number;
  readonly seed: number;
  readonly progress: (word: string) => void;
  /** As soon as a level was come back to, or was not. */
  readonly onUp?: (walked: Walked) => void;
}

/** What became of one migration on the way down. */
export interface Down {
  /** Null: rolled back. */
  readonly refusal: { readonly why: string; readonly message: string } | null;
  readonly endStateDiffers: boolean;
  /** Rows that its archive holds. */
  readonly rowsArchived: number;
  /** Rows in the database when it was rolled back, and tables that took none. */
  readonly rows: number;
  readonly unseeded: readonly string[];
  readonly seconds: number;
}

/** What became of it on the way up. */
export interface Up {
  /** `stale views`: alike but for materialised views that held what their queries no longer gave, and are filled now. */
  readonly outcome: "equal" | "column order" | "stale views" | "differs" | "failed";
  /** What differs, or why the undo failed. */
  readonly wrong: readonly string[];
  /** How the schema was put back, as the report says it. */
  readonly way: string | null;
  readonly seconds: number;
}

export interface Walked {
  /** Newest first; several when they went as one set. */
  readonly migrations: readonly string[];
  readonly down: Down;
  /** Null: nothing to undo. */
  readonly up: Up | null;
}

/** One level on the way down, with what to come back to. */
export interface Level {
  /** Newest first; several when they went as one set. */
  readonly migrations: readonly Migration[];
  readonly before: LevelState;
  /** Null: refused, and left out by hand. */
  readonly report: RollbackReport | null;
  readonly seeded: Seeded;
  /** A copy of the database as it was before the rollback; null when there was none. */
  readonly copy: string | null;
  readonly down: Down;
}

/** Levels that were gone down in one database without a break. */
export interface Segment {
  readonly database: string;
  readonly levels: readonly Level[];
}
