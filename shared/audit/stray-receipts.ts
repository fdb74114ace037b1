import { receiptFile } from "../archive/names.ts";
import { archivesPrefix } from "../archive/types.ts";
import { isBelayError } from "../errors.ts";
import { mapPooled } from "../pool.ts";
import type { Session } from "../postgres/session.ts";
import type { ObjectStore } from "../store/types.ts";
import { plural } from "../words.ts";
import type { LeftHistory } from "./anchors.ts";
import { receiptsPrefix } from "./places.ts";
import { readReceipt } from "./receipt.ts";
import { signatureProblem } from "./sealed.ts";
import type { AuditSource, Receipt } from "./types.ts";
import type { Problems } from "./walk.ts";

const readsAtOnce = 8;

/** Keys under which this store may hold receipts, of other databases' rollbacks too. A store that does not answer is a problem. */
export async function receiptKeysIn(store: ObjectStore, problems: Problems): Promise<string[]> {
  const keys: string[] = [];
  try {
    for await (const { key } of store.list(receiptsPrefix)) if (key.endsWith(".json")) keys.push(key);
    for await (const id of store.listFolders(archivesPrefix)) keys.push(`${archivesPrefix}${id}/${receiptFile}`);
  } catch (error) {
    if (!isBelayError(error)) throw error;
    problems.add("anchors_unreadable", null, `the receipts could not be listed: ${error.message}`);
  }
  return keys;
}

export interface Strays {
  readonly store: ObjectStore;
  /** Listed before the log was: a rollback is on record before its receipt is written. */
  readonly keys: readonly string[];
  readonly source: AuditSource;
  readonly left: readonly LeftHistory[];
  /** Public key by which each must be signed. */
  readonly key: string | null;
}

/** Looks for receipts of this database whose rollback is not on record, or is with another row of the log. Answers notes. */
export async function checkStrayReceipts(
  session: Session,
  { store, keys, source, left, key }: Strays,
  problems: Problems,
): Promise<string[]> {
  const known = await session.sql<{ key: string }[]>`select key from belay.receipts where store_url = ${store.url}`;
  const noted = new Set(known.map(({ key }) => key));
  let abandoned = 0;
  await mapPooled(
    keys.filter((each) => !noted.has(each)),
    readsAtOnce,
    async (each) => {
      const sealed = await read(store, each);
      if (sealed === null || !sameDatabase(sealed.document.source, source)) return;
      const receipt = sealed.document;
      const signed = await signatureProblem(sealed, key);
      const found = await recordOf(session, receipt);
      const named = `the receipt of ${receipt.rollbackId}`;
      if (signed !== null) problems.add("signature", receipt.audit.id, `${named}: ${signed}`);
      else if (found.recorded && found.hash !== receipt.audit.hash)
        problems.add("receipt_differs", receipt.audit.id, `${named} is of row ${receipt.audit.id} with another hash`);
      else if (!found.recorded && left.some((history) => wasLeft(receipt, history))) abandoned += 1;
      else if (!found.recorded) problems.add("receipt_without_record", receipt.audit.id, withoutRecord(receipt));
    },
  );
  return abandoned === 0 ? [] : [`${plural(abandoned, "receipt")} of a history that was left by a restore`];
}

/** Null: there is none, or it is of nobody that could be told. */
async function read(store: ObjectStore, key: string) {
  try {
    return await readReceipt(store, key);
  } catch (error) {
    if (isBelayError(error, "store_missing_object") || isBelayError(error, "archive_invalid")) return null;
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const sameDatabase = (a: AuditSource, b: AuditSource) =>
  a.systemIdentifier === b.systemIdentifier && a.databaseOid === b.databaseOid;

async function recordOf({ sql }: Session, { rollbackId, audit }: Receipt) {
  const [row] = await sql<{ recorded: boolean; hash: string | null }[]>`
    select exists (select from belay.rollbacks where id::text = ${rollbackId}) as recorded,
           (select hash from belay.audit_log where id = ${audit.id}) as hash`;
  return row!;
}

const wasLeft = ({ audit, writtenAt }: Receipt, { above, at }: LeftHistory) => audit.id > above && writtenAt <= at;

function withoutRecord({ rollbackId, kind, migrations, actor, finishedAt }: Receipt): string {
  return `the receipt of ${rollbackId} says that ${actor} did ${kind === "undo" ? "an undo" : "a rollback"} of ${migrations.join(", ")} at ${finishedAt}, and the record of it is gone: it was removed, or the database was restored to a moment before that`;
}
