import { collect, once } from "../archive/digesting.ts";
import type { Belay } from "../context.ts";
import { isBelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { largestDocument } from "./anchor.ts";
import { patientStore } from "./patient-store.ts";
import { receiptKey } from "./places.ts";
import { type Sealed, seal, unseal } from "./sealed.ts";
import { readState } from "./state.ts";
import { inTurn } from "./turn.ts";
import { type Receipt, receiptSchema } from "./types.ts";

/** Longest time (ms) that a store may take for receipts: what they are of is done already. */
const patienceMs = 5_000;

/** Receipts that are written at a time, where a store was away for long. */
const mostAtOnce = 20;

/**
 * Writes the receipts of all rollbacks and undos that have none yet, oldest first, create-only. Never throws; answers
 * why not all were written, or null. `session` is outside of a transaction.
 */
export async function writeReceipts(belay: Belay, session: Session): Promise<string | null> {
  try {
    const store = patientStore(belay.store, patienceMs);
    await inTurn(session, async () => {
      for (const due of await dueReceipts(session, belay, store.url)) await writeReceipt(belay, session, store, due);
    });
    return null;
  } catch (error) {
    return `the receipt is not written: ${(error as Error).message}; \`belay audit anchor\` writes it later`;
  }
}

interface Due {
  readonly receipt: Receipt;
  readonly key: string;
}

async function dueReceipts(session: Session, belay: Belay, storeUrl: string): Promise<Due[]> {
  const rows = await session.sql`
    select r.id::text as id, r.kind, r.migration_name as migration, r.plan_hash, r.reason, r.actor, r.started_at, r.finished_at,
           r.report -> 'migrations' as migrations, l.id::float8 as row, l.hash, a.id as archive, a.manifest_sha256
      from belay.rollbacks r
      cross join lateral (
        select id, hash from belay.audit_log where details ->> 'rollbackId' = r.id::text and details ? 'rollbackId'
           and split_part(action, '.', 1) = r.kind order by id limit 1
      ) l
      left join belay.archives a on a.id = r.archive_id and a.rollback_id = r.id and a.store_url = ${storeUrl}
     where r.outcome in ('committed', 'undone') and not exists (select from belay.receipts k where k.rollback_id = r.id)
     order by l.id limit ${mostAtOnce}`;
  if (rows.length === 0) return [];
  const { source } = await readState(session, storeUrl);
  return rows.map((row) => ({
    key: receiptKey(row.id, row.archive),
    receipt: {
      format: "belay-receipt/1",
      rollbackId: row.id,
      kind: row.kind,
      migrations: row.migrations ?? [row.migration],
      outcome: "committed",
      planHash: row.plan_hash,
      archive: row.archive === null ? null : { id: row.archive, manifestSha256: row.manifest_sha256 },
      audit: { id: row.row, hash: row.hash },
      previous: null,
      source,
      actor: row.actor,
      reason: row.reason,
      startedAt: row.started_at.toISOString(),
      finishedAt: row.finished_at.toISOString(),
      writtenAt: belay.now().toISOString(),
    },
  }));
}

async function writeReceipt(belay: Belay, session: Session, store: ObjectStore, { receipt, key }: Due): Promise<void> {
  const [last] = await session.sql<{ key: string; sha256: string }[]>`
    select key, sha256 from belay.receipts order by position desc limit 1`;
  const previous = last === undefined ? null : { key: last.key, sha256: last.sha256 };
  const bytes = await seal({ ...receipt, previous }, belay.settings.signingKey);
  let { sha256 } = unseal(bytes, receiptSchema, key);
  try {
    await store.write(key, once(bytes), { createOnly: true, contentType: "application/json" });
  } catch (error) {
    if (!isBelayError(error, "store_exists")) throw error;
    // Written by an attempt that ended before it was noted.
    const there = await readReceipt(store, key);
    if (there.document.rollbackId !== receipt.rollbackId) throw error;
    sha256 = there.sha256;
  }
  await session.sql`
    insert into belay.receipts (rollback_id, store_url, key, sha256)
    values (${receipt.rollbackId}, ${store.url}, ${key}, ${sha256})`;
}

/** Reads one receipt; throws `archive_invalid` when it does not read, and the store's errors. */
export async function readReceipt(store: ObjectStore, key: string): Promise<Sealed<Receipt>> {
  return unseal(await collect(store.read(key), largestDocument), receiptSchema, key);
}
