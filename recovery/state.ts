import type { Manifest } from "../shared/archive/types.ts";
import type { Belay } from "../shared/context.ts";
import type { Session } from "../shared/postgres/session.ts";
import type { NewerRows } from "./newer-rows/types.ts";
import type { RunbookPlan, TableToday } from "./types.ts";

/** What one full restore knows and holds open while it runs; each step adds to it. */
export interface FullRestore {
  readonly belay: Belay;
  readonly id: string;
  readonly plan: RunbookPlan;
  /** Of the backup. */
  readonly manifest: Manifest;
  readonly jobs: number | undefined;
  /** On another database of the live server. */
  readonly server: Session;
  /** Two sessions on today's database, opened before writers were stopped. */
  readonly today: Session;
  readonly writer: Session;
  readonly ownPids: readonly number[];
  /** Where the backup is restored, before the switch. */
  readonly besideUrl: string;
  /** Where the restored database is now. */
  restoredUrl(): string;
  closeSessions(): Promise<void>;
  todays: Manifest | null;
  tables: readonly TableToday[];
  newerRows: NewerRows | null;
  stoppedAt: number | null;
  switched: boolean;
  switchBack: readonly string[];
}
