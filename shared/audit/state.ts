import type { Session } from "../postgres/session.ts";
import type { AuditSource } from "./types.ts";

/** The newest anchor in a store, as the database remembers it. */
export interface Anchored {
  readonly key: string;
  readonly sha256: string;
  readonly id: number;
  readonly hash: string;
  readonly rows: number;
  readonly timeline: number;
}

export interface AuditState {
  readonly source: AuditSource;
  /** Goes up with every restore to a moment, and with every failover. */
  readonly timeline: number;
  readonly head: { readonly id: number; readonly hash: string } | null;
  /** `hashNow`: what its row has now; null when the row is gone. */
  readonly last: (Anchored & { readonly hashNow: string | null }) | null;
}

export async function readState(session: Session, storeUrl: string): Promise<AuditState> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_catalog.pg_control_system()) as system, d.oid::int8::float8 as oid,
           current_database() as name, (select timeline_id from pg_catalog.pg_control_checkpoint()) as timeline,
           h.id::float8 as head_id, h.hash as head_hash, a.key, a.sha256, a.id::float8 as id, a.hash, a.rows::float8 as rows,
           a.timeline as anchored_timeline, l.hash as hash_now
      from pg_catalog.pg_database d
      left join (select id, hash from belay.audit_log order by id desc limit 1) h on true
      left join belay.audit_anchors a on a.store_url = ${storeUrl}
      left join belay.audit_log l on l.id = a.id
     where d.datname = current_database()`;
  const { key, sha256, id, hash, rows, anchored_timeline } = row!;
  return {
    source: { systemIdentifier: row!.system, databaseOid: row!.oid, database: row!.name },
    timeline: row!.timeline,
    head: row!.head_id === null ? null : { id: row!.head_id, hash: row!.head_hash },
    last: key === null ? null : { key, sha256, id, hash, rows, timeline: anchored_timeline, hashNow: row!.hash_now },
  };
}

export async function saveAnchored(session: Session, storeUrl: string, anchored: Anchored): Promise<void> {
  const { key, sha256, id, hash, rows, timeline } = anchored;
  await session.sql`
    insert into belay.audit_anchors (store_url, key, sha256, id, hash, rows, timeline)
    values (${storeUrl}, ${key}, ${sha256}, ${id}, ${hash}, ${rows}, ${timeline})
    on conflict (store_url) do update set key = excluded.key, sha256 = excluded.sha256, id = excluded.id,
      hash = excluded.hash, rows = excluded.rows, timeline = excluded.timeline, anchored_at = clock_timestamp()`;
}
