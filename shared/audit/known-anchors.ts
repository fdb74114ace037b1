import { isBelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { type AnchorMap, mapAnchors, type Remembered } from "./anchors.ts";
import { type AnchoredElsewhere, readElsewhere } from "./elsewhere.ts";
import { type AuditState, readState } from "./state.ts";
import type { Problems } from "./walk.ts";

export interface KnownAnchors {
  readonly state: AuditState;
  readonly remembered: Remembered | null;
  readonly elsewhere: readonly AnchoredElsewhere[];
  /** Null: there is no store, or it cannot be asked. */
  readonly map: AnchorMap | null;
  readonly notes: readonly string[];
}

/** Where the anchors of this database lie; a store that does not answer is a problem. */
export async function anchorsOf(
  session: Session,
  store: ObjectStore | null,
  problems: Problems,
): Promise<KnownAnchors> {
  const state = await readState(session, store?.url ?? "");
  const remembered = state.last;
  const elsewhere = await readElsewhere(session, store?.url ?? null);
  const known = { state, remembered, elsewhere };
  if (store === null)
    return { ...known, map: null, notes: ["no store is set: a tail that was cut off would not show"] };
  try {
    return { ...known, map: await mapAnchors(store, state.source, remembered, problems), notes: [] };
  } catch (error) {
    if (!isBelayError(error)) throw error;
    problems.add("anchors_unreadable", null, `the anchors could not be read: ${error.message}`);
    return { ...known, map: null, notes: [] };
  }
}
