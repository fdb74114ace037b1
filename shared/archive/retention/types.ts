import type { ObjectLock } from "../../store/types.ts";
import type { ArchiveSummary, ArchiveSurvey } from "../list.ts";

/** How the newest drill of an archive that came to an end came out. */
export type DrillVerdict = "pass" | "backup_bad" | "environment_mismatch" | "inconclusive";

/** What Belay's records in the database say of archives. */
export interface RetentionRecords {
  /** By archive id: its newest drill that says something about the archive itself, else its newest. */
  readonly drills: ReadonlyMap<string, DrillVerdict>;
  /** The newest drill of all that came to an end. */
  readonly newestDrill: { readonly archiveId: string; readonly verdict: DrillVerdict } | null;
  /** Archives from which a rollback could still be undone, and its migration. */
  readonly undoable: ReadonlyMap<string, string>;
}

/** All that a retention plan is made from. `records` is null when no database is set: then nothing is known of drills and rollbacks. */
export interface RetentionFacts {
  readonly survey: ArchiveSurvey;
  readonly records: RetentionRecords | null;
  /** By archive id, for those that were looked at. */
  readonly locked: ReadonlyMap<string, ObjectLock>;
  readonly now: Date;
}

/** What becomes of one archive, and why. */
export interface RetentionVerdict {
  readonly archive: ArchiveSummary;
  readonly action: "keep" | "remove";
  readonly reasons: readonly string[];
}

/** `refusals` not empty: nothing at all may be removed, and every verdict is `keep`. */
export interface RetentionPlan {
  readonly refusals: readonly string[];
  /** Newest first. */
  readonly verdicts: readonly RetentionVerdict[];
}
