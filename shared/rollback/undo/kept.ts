import type { Manifest } from "../../archive/types.ts";
import type { Session } from "../../postgres/session.ts";
import { bringBack } from "../preserve/bring-back.ts";
import { type LoadedRows, loadRows } from "./rows.ts";
import type { UndoAttempt, Undoable } from "./types.ts";

/** The archives whose rows come back: the rollback's own, and the one into which its quarantine was purged. */
export function manifestsOf({ manifest, kept }: Undoable): Manifest[] {
  return [manifest, kept?.purgedTo ?? null].filter((each) => each !== null);
}

/** Statements that move back what the rollback moved to a private schema. */
export async function movesBack(session: Session, { kept, remembered }: Undoable): Promise<string[]> {
  return kept ? await bringBack(session, kept, remembered) : [];
}

/** Rows of every archive that comes back. */
export async function loadAll({ session, belay, undoable }: UndoAttempt): Promise<LoadedRows[]> {
  const loaded: LoadedRows[] = [];
  for (const manifest of manifestsOf(undoable)) loaded.push(...(await loadRows(session, belay.store, manifest)));
  return loaded;
}

/** Where sequences stood, by every archive that comes back. */
export function sequencesOf(undoable: Undoable): Manifest["sequences"] {
  return manifestsOf(undoable).flatMap(({ sequences }) => sequences);
}
