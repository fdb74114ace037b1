import type { Manifest } from "../../archive/types.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { CatalogWatch } from "../../catalog/watch.ts";
import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import type { Observe } from "../execute/types.ts";
import type { Account } from "../guard/account.ts";
import type { Kept } from "../preserve/kept.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { TableState } from "../transaction/table-state.ts";
import type { FoundRollback } from "./find.ts";
import type { UndoPlan, UndoTarget } from "./plan-types.ts";
import type { LoadedRows } from "./rows.ts";
import type { ArchiveFact } from "./undo-facts.ts";

/** A committed rollback with what it left behind. */
export interface Undoable {
  readonly rollbackId: string;
  readonly migration: string;
  /** All that went as one, oldest first. */
  readonly migrations: readonly string[];
  readonly remembered: Remembered;
  readonly manifest: Manifest | null;
  /** What the rollback kept in the database; null when nothing, absent in a try that needs none of it. */
  readonly kept?: Kept | null;
}

export interface UndoRequest extends UndoTarget {
  readonly reason: string;
  /** Hash of the plan that was shown and approved; without it, the plan made now is taken. */
  readonly planHash?: string;
  /** Gates to waive, as far as the policy lets them: approved, maintenance_window. */
  readonly waive?: readonly string[];
  /** Rows that the plan which was looked at would write over; default: as planned now. */
  readonly plannedRows?: number;
}

/** One undo that is on record. */
export interface UndoRun {
  readonly belay: Belay;
  readonly control: Session;
  readonly request: UndoRequest;
  readonly plan: UndoPlan;
  readonly found: FoundRollback;
  readonly archive: ArchiveFact;
  readonly undoId: string;
  readonly observe: Observe;
  readonly startedAt: Date;
}

/** One try to put it back, with the sessions that it works on; `undoable`: what is left to do. */
export interface UndoAttempt {
  readonly belay: Belay;
  readonly control: Session;
  readonly session: Session;
  /** Reads the catalog as the session sees it, again and again. */
  readonly watch: CatalogWatch;
  readonly undoable: Undoable;
}

/** The database as the undo finds it, under its locks. */
export interface UndoBefore {
  readonly catalog: Catalog;
  readonly account: Account;
  /** Tables that get columns merged, or a stored generated column back: their other columns must come out of it equal. */
  readonly merged: readonly TableState[];
}

/** One way to put the schema back; rows and sequences follow within it. */
export interface Way {
  readonly name: string;
  run(attempt: UndoAttempt, before: UndoBefore): Promise<LoadedRows[]>;
}
