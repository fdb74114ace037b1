import type { Manifest } from "../../archive/types.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import type { Observe } from "../execute/types.ts";
import type { Account } from "../guard/account.ts";
import type { Kept } from "../preserve/kept.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { TableState } from "../transaction/table-state.ts";
import type { LoadedRows } from "./rows.ts";

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

/** One try to put it back, with the sessions that it works on. */
export interface UndoAttempt {
  readonly belay: Belay;
  readonly control: Session;
  readonly session: Session;
  readonly undoable: Undoable;
  readonly undoId: string;
  readonly reason: string;
  readonly observe: Observe;
  readonly startedAt: Date;
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
