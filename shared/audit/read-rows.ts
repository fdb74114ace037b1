import type { Session } from "../postgres/session.ts";
import type { AuditRow } from "./types.ts";
import type { WalkedRow } from "./walk.ts";

/** Rows that are held at a time. */
const batchRows = 5_000;

/**
 * The hash is computed here and not by a function of schema belay: whoever rewrites the log could replace that too.
 * Batches of rows, lowest id first.
 */
export async function* walkedRows({ sql }: Session): AsyncGenerator<WalkedRow[]> {
  let after: string | null = null;
  for (;;) {
    const rows: readonly Record<string, string>[] = await sql`
      select l.id::text as row, previous_hash, hash, hash = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
               pg_catalog.jsonb_build_array(l.id, pg_catalog.to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                 actor, action, subject, details, previous_hash)::text, 'UTF8')), 'hex') as own
        from belay.audit_log l where ${after === null ? sql`true` : sql`l.id > ${after}`} order by l.id limit ${batchRows}`;
    if (rows.length === 0) return;
    yield rows.map(({ row, previous_hash, hash, own }) => ({
      id: BigInt(row!),
      previousHash: previous_hash!,
      hash: hash!,
      own: (own as unknown) === true,
    }));
    after = rows.at(-1)!.row!;
  }
}

/** A row with its details as the text that Postgres gives of them. */
export type RowText = Omit<AuditRow, "details"> & { readonly details: string };

/** Whole rows from one id to another, in batches. */
export async function* rowTexts({ sql }: Session, from: number, to: number | null): AsyncGenerator<RowText[]> {
  for (let next = from; ; ) {
    const rows = await sql<RowText[]>`
      select l.id::float8 as id, to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "occurredAt",
             actor, action, subject, details::text as details, previous_hash as "previousHash", hash
        from belay.audit_log l where l.id >= ${next} and (${to}::float8 is null or l.id <= ${to}) order by l.id limit 1000`;
    if (rows.length === 0) return;
    yield rows.map((row) => ({ ...row }));
    next = rows.at(-1)!.id + 1;
  }
}
