import type { Catalog } from "../../catalog/types.ts";
import type { CatalogWatch } from "../../catalog/watch.ts";
import type { Belay } from "../../context.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account } from "../guard/account.ts";
import type { DumpFact } from "../plan/newest-dump.ts";
import type { Policy } from "../plan/policy.ts";
import type { TargetRequest } from "../plan/target.ts";
import type { Patience } from "../transaction/patience.ts";
import type { Plan } from "../types.ts";
import type { ArchiveScope } from "./archive-scope.ts";
import type { Tracked } from "./tracking-guard.ts";

/**
 * How far it came. `intent`: on record. `ready`: nothing stands in the way, and the locks come next; what throws here stops
 * it, with the failure on record. From `sql` on the locks of the SQL are held: whoever looks on must not wait.
 */
export type Point = "intent" | "ready" | "locked" | "archived" | "sql" | "guarded" | "committed";

/** What begins, with `intent` and `ready`. */
export interface Begun {
  readonly rollbackId: string;
  /** All that go, or come back, as one. */
  readonly migrations: readonly string[];
  /** null: it was not planned. */
  readonly plan: Plan | null;
}

/** Looks on while a rollback or an undo runs. */
export type Observe = (point: Point, begun?: Begun) => void | Promise<void>;

export interface Attempt {
  readonly belay: Belay;
  /** Session apart from the transaction: for the record, and to cancel. */
  readonly control: Session;
  readonly rollbackId: string;
  readonly plan: Plan;
  /** The newest whole-database archive, as it was found before any lock. */
  readonly dump: DumpFact;
  readonly request: TargetRequest & {
    readonly reason: string;
    readonly folder?: MigrationFolder | null;
    readonly policy?: Policy;
    readonly waive?: readonly string[];
    readonly plannedRows?: number;
  };
  readonly observe: Observe;
  readonly startedAt: Date;
  /** For locks, over all attempts. */
  readonly patience: Patience;
  /** For the report: what happened in attempts before this one. */
  readonly notes: readonly string[];
}

/** The database as it is under the locks, before the rollback SQL. */
export interface Before {
  readonly account: Account;
  readonly catalog: Catalog;
  /** Reads the catalog again: only what changed, and what depends on that. */
  readonly watch: CatalogWatch;
  readonly scope: ArchiveScope;
  /** The tool's tracking table; null without any. */
  readonly tracked: Tracked | null;
  /** pg_current_snapshot() of that moment: what others commit later is not in it. */
  readonly snapshot: string;
}
