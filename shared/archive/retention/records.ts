import type { Session } from "../../postgres/session.ts";
import type { DrillVerdict, RetentionRecords } from "./types.ts";

/** Reads from Belay's records which archives were drilled, and from which a rollback can still be undone. */
export async function readRetentionRecords({ sql }: Session): Promise<RetentionRecords> {
  // A sandbox without an extension says nothing about the archive: what an earlier drill found stands.
  const drills = await sql`
    select distinct on (archive_id) archive_id, verdict from belay.drills
    where finished_at is not null and verdict <> 'running'
    order by archive_id, verdict in ('pass', 'backup_bad') desc, finished_at desc`;
  const [newest] = await sql`
    select archive_id, verdict from belay.drills
    where finished_at is not null and verdict <> 'running' order by finished_at desc limit 1`;
  // Intended and unknown ones may have been committed; a migration that was applied again is past undoing.
  // What was moved away and purged is undone from the purge's archive too.
  const rollbacks = await sql`
    select o.archive_id, r.migration_name
    from belay.rollbacks r left join belay.migration_history h using (migration_name)
      cross join lateral (select r.archive_id union
        select a.id from belay.archives a where a.rollback_id = r.id and a.purpose = 'quarantine') o
    where r.kind = 'rollback' and o.archive_id is not null
      and (r.outcome in ('intended', 'unknown')
        or r.outcome = 'committed' and h.status is distinct from 'applied')`;
  return {
    drills: new Map(drills.map((row) => [row.archive_id as string, row.verdict as DrillVerdict])),
    newestDrill:
      newest === undefined ? null : { archiveId: newest.archive_id as string, verdict: newest.verdict as DrillVerdict },
    undoable: new Map(rollbacks.map((row) => [row.archive_id as string, row.migration_name as string])),
  };
}
