import type { Progress } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import type { Manifest } from "../types.ts";
import type { LayoutInput } from "./layout.ts";

/** SQL for tables of the archive that may be left standing, which pg_restore skips. */
export interface StandingTables {
  /** Adds the columns that they lack, still without values. */
  readonly columns: readonly string[];
  /** Empties those that are archived whole, and takes off what checks or reacts to rows: it comes back after them. */
  readonly emptied: readonly string[];
  /** NOT NULL, identity and checks, when the values are there. */
  readonly settled: readonly string[];
}

/** Tables whose definitions are in a rollback's archive and whose rows it moved to a private schema of the database. */
export interface MovedAway {
  /** `schema.table` of before. */
  readonly names: readonly string[];
  readonly schemas: readonly string[];
  /** The day until which they stay there, at the least. */
  readonly until: string;
  /** SQL that moves them back, and that which ends it. */
  readonly back: readonly string[];
  readonly last: readonly string[];
}

/** All that one archive is to hold, and from where. */
export interface ArchiveInput extends LayoutInput {
  readonly store: ObjectStore;
  readonly id: string;
  readonly purpose: Manifest["purpose"];
  readonly profile?: Manifest["profile"];
  readonly reason: string;
  readonly createdBy: string;
  readonly migration: string | null;
  readonly rollbackId: string | null;
  readonly source: Manifest["source"];
  /** ISO 8601. */
  readonly snapshotAt: string;
  /** Sessions on the one snapshot; each writes one table at a time. At least one. On failure they are cut. */
  readonly readers: readonly Session[];
  readonly external: Manifest["external"];
  readonly catalogDigest: string;
  /** Most bytes of COPY text that may be archived here; null for no limit. */
  readonly budgetBytes: number | null;
  /** 0 to 9: 1 (fast) is the default for rollback and undo, whose tables are locked meanwhile; 6 for a dump. */
  readonly gzipLevel?: number;
  /** What to do by hand to tables that may be left standing, for README.txt. */
  readonly standing?: StandingTables;
  /** What the rollback moves away instead, for README.txt. */
  readonly moved?: MovedAway;
  /** How to undo by hand, for README.txt; a text by purpose when absent. */
  readonly readme?: string;
  report?(progress: Progress): void;
}
