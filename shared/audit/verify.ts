import type { Belay } from "../context.ts";
import { isBelayError } from "../errors.ts";
import { requireBelay } from "../install.ts";
import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { readAnchors } from "./anchors.ts";
import { checkReceipts } from "./check-receipts.ts";
import { checkElsewhere } from "./elsewhere.ts";
import { anchorsOf } from "./known-anchors.ts";
import { walkedRows } from "./read-rows.ts";
import { checkRecords } from "./records.ts";
import type { Sealed } from "./sealed.ts";
import { storeOf } from "./store-of.ts";
import { receiptKeysIn } from "./stray-receipts.ts";
import type { Anchor, AuditVerification } from "./types.ts";
import { verdictOf } from "./verdict.ts";
import { ChainWalk, Problems, type Witness } from "./walk.ts";

export interface VerifyOptions {
  /** Public key (SPKI in base64) by which every anchor and receipt must be signed. */
  readonly key?: string | null;
  /** A row's hash that was noted elsewhere. */
  readonly expect?: { readonly id: number; readonly hash: string };
}

/**
 * Walks the whole audit log and compares it with every anchor and receipt of the store, and with the records of rollbacks and
 * archives. Throws `belay_not_installed` or a database's error; what is wrong with the log, or the store, is in the answer.
 */
export async function verifyAuditLog(belay: Belay, options: VerifyOptions = {}): Promise<AuditVerification> {
  const session = await belay.openSession({ applicationName: "belay audit", parameters: { row_security: "off" } });
  try {
    await requireBelay(session);
    return await verifyWith(belay, session, options);
  } catch (error) {
    throw databaseError(error, { url: belay.settings.database, doing: "verifying the audit log" });
  } finally {
    await session.close();
  }
}

async function verifyWith(belay: Belay, session: Session, options: VerifyOptions): Promise<AuditVerification> {
  const problems = new Problems();
  const store = storeOf(belay);
  const key = options.key ?? null;
  // The store first: what is written there while the log is read would be of rows that the snapshot does not have.
  const known = await anchorsOf(session, store, problems);
  const { remembered, map } = known;
  const asked = store === null || map === null ? null : { store, map, keys: await receiptKeysIn(store, problems) };
  await session.run("begin transaction isolation level repeatable read read only");
  try {
    const walk = new ChainWalk(problems);
    const anchors =
      asked === null
        ? none()
        : readAnchors(asked.store, asked.map, { key, remembered, known: asked.map.refs }, problems);
    const newest = await walkWith(belay, session, walk, anchors, options.expect, problems);
    const records = await checkRecords(session, problems);
    const { count, notes } =
      asked === null
        ? { count: 0, notes: [] }
        : await checkReceipts(session, { ...asked, source: known.state.source, left: asked.map.left, key }, problems);
    const here = { store: store?.url ?? null, newest: newest?.id ?? 0 };
    // A store that could not be read is a problem already.
    const elsewhere = asked === null && store !== null ? [] : checkElsewhere(known.elsewhere, here, problems);
    return verdictOf({
      walk,
      problems,
      store: asked?.store.url ?? null,
      newest,
      records: { ...records, receipts: count },
      notes: [...(map?.notes ?? []), ...known.notes, ...notes, ...elsewhere],
    });
  } finally {
    await session.run("rollback").catch(() => {});
  }
}

/** Feeds rows and witnesses in the order of ids; answers the newest anchor. */
async function walkWith(
  belay: Belay,
  session: Session,
  walk: ChainWalk,
  anchors: AsyncGenerator<Sealed<Anchor>>,
  expect: VerifyOptions["expect"],
  problems: Problems,
): Promise<Anchor | null> {
  let newest: Anchor | null = null;
  let next = await nextOf(anchors, problems);
  const before = (id: bigint) => next !== null && BigInt(next.document.id) < id;
  const take = async () => {
    newest = next!.document;
    walk.witness(witnessOf(newest));
    next = await nextOf(anchors, problems);
  };
  let expected = expect === undefined;
  const look = () => {
    if (expected || walk.head.id !== expect!.id) return;
    expected = true;
    if (walk.head.hash !== expect!.hash)
      problems.add("not_as_expected", expect!.id, `row ${expect!.id} does not have the hash that was expected`);
  };
  for await (const rows of walkedRows(session)) {
    for (const row of rows) {
      while (before(row.id)) await take();
      walk.row(row);
      look();
      while (before(row.id + 1n)) await take();
    }
    belay.report({ phase: "audit", message: "reading the log", done: walk.rows, unit: "rows" });
  }
  while (next !== null) await take();
  walk.end();
  if (!expected) problems.add("not_as_expected", expect!.id, `row ${expect!.id}, which was expected, is not there`);
  return newest;
}

/** A store that fails half-way leaves the rest unread, as a problem. */
async function nextOf(anchors: AsyncGenerator<Sealed<Anchor>>, problems: Problems): Promise<Sealed<Anchor> | null> {
  try {
    const { value, done } = await anchors.next();
    return done ? null : value;
  } catch (error) {
    if (!isBelayError(error)) throw error;
    problems.add("anchors_unreadable", null, `the anchors could not all be read: ${error.message}`);
    return null;
  }
}

export function witnessOf({ id, hash, anchoredAt, anchoredBy }: Anchor): Witness {
  return { id, hash, said: `anchored at ${anchoredAt} by ${anchoredBy}` };
}

async function* none(): AsyncGenerator<Sealed<Anchor>> {}
