import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { decodeCursor, encodeCursor, type Page, pageOf } from "../paging.ts";
import { withSession } from "../with-session.ts";
import type { AuditRow } from "./types.ts";

export interface AuditQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly actor?: string;
}

/** Rows of the audit log, newest first. */
export function listAudit(belay: Belay, query: AuditQuery): Promise<Page<AuditRow>> {
  const before = query.cursor === undefined ? null : rowOf(query.cursor);
  return withSession(belay, "belay audit", async ({ sql }) => {
    const rows = await sql<AuditRow[]>`
      select l.id::float8 as id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "occurredAt",
             actor, action, subject, details, previous_hash as "previousHash", hash
        from belay.audit_log l
       where (${before}::float8 is null or l.id < ${before})
         and (${query.action ?? null}::text is null or action = ${query.action ?? null})
         and (${query.subject ?? null}::text is null or subject = ${query.subject ?? null})
         and (${query.actor ?? null}::text is null or actor = ${query.actor ?? null})
       order by l.id desc limit ${query.limit + 1}`;
    return pageOf(
      rows.map((row) => ({ ...row })),
      query.limit,
      ({ id }) => encodeCursor("", String(id)),
    );
  });
}

function rowOf(cursor: string): number {
  const { id } = decodeCursor(cursor);
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new BelayError("usage", "the cursor is not one that a listing gave", {
    hint: "Send the `next` value of the page before, unchanged.",
  });
}
