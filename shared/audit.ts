import type { Session } from "./postgres/session.ts";

/** What was done, by whom, to what; appended in the transaction of the change itself. */
export interface AuditRecord {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Whether the audit log's chain holds; `head` is what an anchor outside the database is compared with. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly rows: number;
  readonly head: { readonly id: number; readonly hash: string };
  /** Id of the first changed, inserted or missing row. */
  readonly brokenAt: number | null;
  readonly problem: string | null;
}

/** Appends one row to the hash-chained log and returns its id; other writers wait until this transaction ends. */
export async function appendAudit(session: Session, record: AuditRecord): Promise<number> {
  const details = JSON.stringify(record.details ?? {});
  const [row] = await session.sql`
    select belay.append_audit(${record.actor}, ${record.action}, ${record.subject}, ${details}::text::jsonb)::float8 as id`;
  return row!.id as number;
}

/** Walks the chain; finds a changed, inserted or missing row, and a cut tail when an `anchor` seen before is given. */
export async function verifyAudit(
  session: Session,
  anchor?: { readonly id: number; readonly hash: string },
): Promise<AuditVerdict> {
  const [row] = await session.sql`
    select ok, rows::float8 as rows, head_id::float8 as head_id, head_hash, broken_at::float8 as broken_at, reason
    from belay.verify_audit()`;
  const verdict: AuditVerdict = {
    ok: row!.ok,
    rows: row!.rows,
    head: { id: row!.head_id, hash: row!.head_hash },
    brokenAt: row!.broken_at,
    problem: row!.reason,
  };
  return verdict.ok && anchor !== undefined ? compareWithAnchor(session, verdict, anchor) : verdict;
}

async function compareWithAnchor(
  session: Session,
  verdict: AuditVerdict,
  anchor: { readonly id: number; readonly hash: string },
): Promise<AuditVerdict> {
  const [row] = await session.sql`select hash from belay.audit_log where id = ${anchor.id}`;
  if (anchor.id === 0 || row?.hash === anchor.hash) return verdict;
  const problem =
    row === undefined
      ? `rows after ${verdict.head.id} were cut off`
      : `row ${anchor.id} is not the one that was anchored`;
  return { ...verdict, ok: false, brokenAt: row === undefined ? verdict.head.id + 1 : anchor.id, problem };
}
