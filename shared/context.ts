import type { Settings } from "./config.ts";
import type { Session, SessionOptions } from "./postgres/session.ts";
import type { ObjectStore } from "./store/types.ts";

/** What is going on, for a terminal or an event stream. Never holds secrets or row values. */
export interface Progress {
  readonly phase: string;
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: "bytes" | "rows" | "tables" | "migrations" | "checks";
}

/** The adapters that a verb works with; made by an entrypoint or by test support, never by the domain. */
export interface Belay {
  readonly settings: Settings;
  readonly actor: string;
  /** Id of the signed-in user for whom it acts, from a verified token; absent: only the database role is known. */
  readonly subject?: string;
  /** Opens a session on the target database; throws `usage` when no database is set. */
  openSession(options?: SessionOptions): Promise<Session>;
  /** The archive store; throws `usage` when none is set. */
  readonly store: ObjectStore;
  /** URL of the scratch server, or null. */
  readonly scratchUrl: string | null;
  report(progress: Progress): void;
  now(): Date;
}
