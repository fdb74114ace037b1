import { isBelayError } from "../errors.ts";
import { mapPooled } from "../pool.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { readReceipt } from "./receipt.ts";
import { signatureProblem } from "./sealed.ts";
import { checkStrayReceipts, type Strays } from "./stray-receipts.ts";
import type { Problems } from "./walk.ts";

const readsAtOnce = 8;
const batchSize = 500;

interface Noted {
  readonly rollbackId: string;
  readonly key: string;
  readonly sha256: string;
  /** Of the rollback's row in the log; null: there is none. */
  readonly row: number | null;
  readonly hash: string | null;
  /** Its archive was removed on record, and the receipt with it. */
  readonly expired: boolean;
}

/** Compares every receipt of this store with the log, and looks for those that no record names. */
export async function checkReceipts(
  session: Session,
  strays: Strays,
  problems: Problems,
): Promise<{ readonly count: number; readonly notes: readonly string[] }> {
  const { store, key } = strays;
  let count = 0;
  let notes: string[] = [];
  try {
    for await (const batch of noted(session, store.url)) {
      const found = await mapPooled(batch, readsAtOnce, (each) => problemOf(store, each, key));
      for (const [index, problem] of found.entries())
        if (problem !== null) problems.add(problem.kind, batch[index]!.row, problem.message);
      count += batch.length;
    }
    notes = await checkStrayReceipts(session, strays, problems);
  } catch (error) {
    if (!isBelayError(error) || !error.code.startsWith("store_")) throw error;
    problems.add("anchors_unreadable", null, `the receipts could not all be read: ${error.message}`);
  }
  return { count, notes };
}

async function* noted({ sql }: Session, storeUrl: string): AsyncGenerator<Noted[]> {
  for (let after = -1; ; ) {
    const rows: (Noted & { position: number })[] = await sql<(Noted & { position: number })[]>`
      select k.position::float8 as position, k.rollback_id::text as "rollbackId", k.key, k.sha256, l.id::float8 as row, l.hash,
             exists (select from belay.audit_log x where x.action in ('archive.expired', 'archive.pruned', 'archive.expired.begun', 'archive.pruned.begun')
                        and k.key = 'archives/' || x.subject || '/receipt.json') as expired
        from belay.receipts k
        left join lateral (
          select id, hash from belay.audit_log
           where details ->> 'rollbackId' = k.rollback_id::text and details ? 'rollbackId' and action in ('rollback', 'undo', 'undo.tables')
           order by id limit 1
        ) l on true
       where k.store_url = ${storeUrl} and k.position > ${after} order by k.position limit ${batchSize}`;
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.position;
  }
}

type Found = { readonly kind: "receipt_missing" | "receipt_differs" | "signature"; readonly message: string } | null;

async function problemOf(store: ObjectStore, { rollbackId, ...noted }: Noted, key: string | null): Promise<Found> {
  const differs = (why: string): Found => ({
    kind: "receipt_differs",
    message: `the receipt of ${rollbackId} ${why}`,
  });
  try {
    const sealed = await readReceipt(store, noted.key);
    const { audit } = sealed.document;
    if (sealed.sha256 !== noted.sha256) return differs("was changed in the store");
    if (audit.id !== noted.row || audit.hash !== noted.hash)
      return differs(`is of row ${audit.id} with another hash than the log has`);
    const signed = await signatureProblem(sealed, key);
    return signed === null ? null : { kind: "signature", message: `the receipt of ${rollbackId}: ${signed}` };
  } catch (error) {
    if (isBelayError(error, "store_missing_object"))
      return noted.expired
        ? null
        : { kind: "receipt_missing", message: `the receipt of ${rollbackId} is gone from the store` };
    if (isBelayError(error, "archive_invalid") || error instanceof RangeError) return differs("does not read");
    throw error;
  }
}
