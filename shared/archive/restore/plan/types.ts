import type { TocEntry } from "../../format/toc.ts";

/** One entry with what carrying it out means. */
export type Step =
  /** SQL text of one or more statements, owner included; may be run with others' in one query. */
  | { readonly kind: "sql"; readonly entry: TocEntry; readonly sql: string }
  /** Rows, as COPY text or INSERT statements. `own`: this restore makes the table, so it may be emptied before. */
  | { readonly kind: "rows"; readonly entry: TocEntry; readonly own: boolean; readonly bytes: number }
  /** Contents of large objects that other steps have made. */
  | { readonly kind: "large-objects"; readonly entry: TocEntry; readonly bytes: number };

/** A step that may run at the same time as others. */
export interface Task {
  readonly step: Step;
  /** dumpIds of the tasks that must be done before. */
  readonly needs: readonly number[];
  /** dumpIds of what nobody else may work on meanwhile. */
  readonly exclusive: readonly number[];
  /** dumpIds of what others may only read meanwhile. */
  readonly shared: readonly number[];
  /** Stored bytes of the rows that it loads or goes over: the heaviest come first. */
  readonly weight: number;
}

/** The work of a restore, stage by stage. */
export interface RestorePlan {
  /** One after the other: schemas, types, functions, tables. */
  readonly before: readonly Step[];
  /** Rows, indexes, constraints, triggers: by what they need. */
  readonly tasks: readonly Task[];
  readonly grants: readonly Step[];
  /** Materialised views' rows, by what they need. */
  readonly refreshes: readonly Task[];
  /** Event triggers and what belongs to them: nothing may come after. */
  readonly last: readonly Step[];
  /** What of the archive is not carried out, in words. */
  readonly leftOut: readonly string[];
}

/** What planning takes from the request and from the server. */
export interface PlanOptions {
  readonly owners: boolean;
  readonly grants: boolean;
  readonly rows: boolean;
  /** Role that restores: what it makes is its own already. */
  readonly self: string;
  /** `server_version_num` of the target. */
  readonly serverVersion: number;
  /** dumpIds of the wanted entries; null: all. */
  readonly selected: ReadonlySet<number> | null;
  /** Tablespaces of the server; others are not asked for. */
  readonly tablespaces: ReadonlySet<string>;
  /** The database has foreign keys before the restore begins. */
  readonly foreignKeys: boolean;
  dataBytes(entry: TocEntry): number | null;
}
