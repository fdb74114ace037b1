import type { Session } from "../postgres/session.ts";
import type { Problems } from "./walk.ts";

export interface ComparedRecords {
  readonly rollbacks: number;
  readonly archives: number;
}

/** Compares the log with the records of rollbacks and archives: one without the other was removed, or put in, by hand. */
export async function checkRecords(session: Session, problems: Problems): Promise<ComparedRecords> {
  const rollbacks = await checkRollbacks(session, problems);
  const archives = await checkArchives(session, problems);
  await checkProtection(session, problems);
  return { rollbacks, archives };
}

async function checkRollbacks({ sql }: Session, problems: Problems): Promise<number> {
  const wrong = await sql`
    with told as (
      select a.id, a.actor, a.subject, a.details ->> 'rollbackId' as rollback_id, a.details ->> 'archiveId' as archive_id,
             a.details ->> 'reason' as reason, a.action
        from belay.audit_log a where a.details ? 'rollbackId' and a.action in ('rollback', 'undo', 'undo.tables')
    ), done as (
      select * from belay.rollbacks r where r.outcome in ('committed', 'undone')
    )
    select t.id::float8 as row, r.id::text as rollback, t.rollback_id as told, r.kind,
           array_remove(array[
             case when t.actor <> r.actor then 'who' end,
             case when t.subject <> r.migration_name then 'the migration' end,
             case when split_part(t.action, '.', 1) <> r.kind then 'what was done' end,
             case when t.archive_id is distinct from r.archive_id then 'the archive' end,
             case when t.reason is distinct from r.reason then 'the reason' end], null) as differs
      from told t full join done r on r.id::text = t.rollback_id
     where t.id is null or r.id is null or t.actor <> r.actor or t.subject <> r.migration_name or split_part(t.action, '.', 1) <> r.kind
        or t.archive_id is distinct from r.archive_id or t.reason is distinct from r.reason
     order by 1 nulls last, 2 limit 1000`;
  for (const { row, rollback, told, kind, differs } of wrong) {
    if (row === null)
      problems.add("record_without_row", null, `${kind} ${rollback} is on record, but the log has no row of it`);
    else if (rollback === null)
      problems.add("row_without_record", row, `row ${row} tells of ${told}, of which there is no record`);
    else problems.add("record_differs", row, `row ${row} and the record of ${rollback} differ: ${differs.join(", ")}`);
  }
  const [counted] = await sql`
    select count(*)::int as rollbacks from belay.rollbacks where outcome in ('committed', 'undone')`;
  return counted!.rollbacks;
}

/** An archive is recorded in the transaction that makes it needed, and stays on record when it is removed. */
async function checkArchives({ sql }: Session, problems: Problems): Promise<number> {
  const wrong = await sql`
    with done as (select id, archive_id from belay.rollbacks where outcome in ('committed', 'undone'))
    select null as archive, r.id::text as rollback from done r
     where r.archive_id is not null and not exists (select from belay.archives a where a.id = r.archive_id)
    union all
    select a.id, null from belay.archives a
     where a.purpose in ('rollback', 'undo') and not exists (select from done r where r.id = a.rollback_id)
        or a.purpose = 'quarantine' and not exists (
             select from belay.audit_log l
              where l.action = 'quarantine.purged' and l.details ? 'rollbackId'
                and l.details ->> 'rollbackId' = a.rollback_id::text and l.details ->> 'archiveId' = a.id)
     order by 1, 2 limit 1000`;
  for (const { archive, rollback } of wrong)
    problems.add(
      archive === null ? "row_without_record" : "record_without_row",
      null,
      archive === null
        ? `the archive of rollback ${rollback} is not on record`
        : `the archive ${archive} is on record, and nothing that wrote it`,
    );
  const [counted] = await sql`select count(*)::int as archives from belay.archives`;
  return counted!.archives;
}

/** Rows could be changed without a trace of force where the triggers that refuse it are off. */
async function checkProtection({ sql }: Session, problems: Problems): Promise<void> {
  const [row] = await sql`
    select count(*)::int as triggers from pg_catalog.pg_trigger
     where tgrelid = 'belay.audit_log'::regclass and tgenabled = 'A' and tgname in ('append_only', 'append_only_truncate')`;
  if (row!.triggers < 2)
    problems.add("unprotected", null, "the triggers that keep belay.audit_log append-only are off or gone");
}
