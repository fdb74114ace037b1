import { collect, once } from "../archive/digesting.ts";
import type { Belay } from "../context.ts";
import { isBelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { patientStore } from "./patient-store.ts";
import { anchoredIds, anchorKey, linePrefix, linesOf, prefixOf, sourcePrefix } from "./places.ts";
import { type Sealed, seal, unseal } from "./sealed.ts";
import { type Anchored, type AuditState, readState, saveAnchored } from "./state.ts";
import { inTurn } from "./turn.ts";
import { type Anchor, anchorSchema } from "./types.ts";

/** Whether the log's head is in the store now; `note`: why not, for people. */
export interface Anchoring {
  readonly anchored: boolean;
  readonly note: string | null;
}

/** Longest time (ms) that a store may take for an anchor: what it belongs to is done already. */
export const anchorPatienceMs = 5_000;

export const largestDocument = 1024 * 1024;

/**
 * Puts the audit log's head into the store, create-only, unless it is there already. Never throws: a store that is
 * away or silent is a note. `session` is outside of a transaction.
 */
export async function anchorAudit(belay: Belay, session: Session, patienceMs = anchorPatienceMs): Promise<Anchoring> {
  try {
    const store = patientStore(belay.store, patienceMs);
    return await inTurn(session, () => anchorHead(belay, session, store));
  } catch (error) {
    return { anchored: false, note: `the audit log's head is not anchored: ${(error as Error).message}` };
  }
}

async function anchorHead(belay: Belay, session: Session, store: ObjectStore): Promise<Anchoring> {
  const state = await readState(session, store.url);
  const { head, source, last } = state;
  if (head === null) return { anchored: false, note: null };
  const own = last?.key.startsWith(sourcePrefix(source)) ?? false;
  if (own && last!.id === head.id && last!.hash === head.hash) return { anchored: true, note: null };
  if (last !== null && last.hashNow !== last.hash)
    return refused(`row ${last.id}, which was anchored, is gone or another`);
  const place = await placeOf(store, state);
  if (place.newest !== null && place.newest > head.id)
    return refused(`row ${place.newest} was anchored, and the log ends at row ${head.id}`);
  const previous = place.previous;
  const anchor: Anchor = {
    format: "belay-anchor/1",
    id: head.id,
    hash: head.hash,
    rows: await rowsUpTo(session, head.id, last),
    source,
    anchoredAt: belay.now().toISOString(),
    anchoredBy: belay.actor,
    previous: previous === null ? null : { id: previous.id, key: previous.key, sha256: previous.sha256 },
    left: null,
  };
  return putAnchor(belay, session, store, { anchor, key: anchorKey(place.prefix, head.id), timeline: state.timeline });
}

export interface AnchorToPut {
  readonly anchor: Anchor;
  readonly key: string;
  readonly timeline: number;
}

/** Writes an anchor and notes it; one of the same head that is there already is taken for it. */
export async function putAnchor(
  belay: Belay,
  session: Session,
  store: ObjectStore,
  { anchor, key, timeline }: AnchorToPut,
): Promise<Anchoring> {
  const bytes = await seal(anchor, belay.settings.signingKey);
  try {
    await store.write(key, once(bytes), { createOnly: true, contentType: "application/json" });
  } catch (error) {
    if (!isBelayError(error, "store_exists")) throw error;
    const there = await readAnchor(store, key);
    if (there.document.hash !== anchor.hash)
      return refused(`row ${anchor.id} was anchored otherwise at ${there.document.anchoredAt}`);
    await saveAnchored(session, store.url, { key, timeline, sha256: there.sha256, ...there.document });
    return { anchored: true, note: null };
  }
  const { sha256 } = unseal(bytes, anchorSchema, key);
  await saveAnchored(session, store.url, { key, timeline, sha256, ...anchor });
  return { anchored: true, note: null };
}

/** Reads one anchor; throws `archive_invalid` when it does not read, and the store's errors. */
export async function readAnchor(store: ObjectStore, key: string): Promise<Sealed<Anchor>> {
  return unseal(await collect(store.read(key), largestDocument), anchorSchema, key);
}

interface Place {
  readonly prefix: string;
  readonly previous: Pick<Anchored, "id" | "key" | "sha256"> | null;
  /** Newest row that is anchored there; null: not asked, since nothing speaks for a restore. */
  readonly newest: number | null;
}

/** Where the next anchor goes. The store is only listed when the database does not know, or was restored. */
async function placeOf(store: ObjectStore, { source, last, timeline }: AuditState): Promise<Place> {
  const own = last?.key.startsWith(sourcePrefix(source)) ?? false;
  if (own && last!.timeline === timeline) return { prefix: prefixOf(last!.key), previous: last, newest: null };
  const line = (await linesOf(store, source)).at(-1) ?? 1;
  const prefix = linePrefix(source, line);
  const newest = (await anchoredIds(store, prefix)).at(-1) ?? null;
  if (newest === null || last !== null) return { prefix, previous: last, newest };
  const { document, sha256 } = await readAnchor(store, anchorKey(prefix, newest));
  return { prefix, previous: { id: document.id, key: anchorKey(prefix, newest), sha256 }, newest };
}

/** Rows are counted from the last anchor on. */
async function rowsUpTo(session: Session, id: number, last: Anchored | null): Promise<number> {
  const [row] = await session.sql`
    select count(*)::float8 as rows from belay.audit_log where id > ${last?.id ?? -1} and id <= ${id}`;
  return row!.rows + (last?.rows ?? 0);
}

function refused(why: string): Anchoring {
  return {
    anchored: false,
    note: `the audit log's head is not anchored: ${why}. Run \`belay audit verify\`; if the database was restored, \`belay audit anchor --after-restore\`.`,
  };
}
