import { type LedgerRow, readLedger } from "../../migrations/ledger/ledger.ts";
import { keptTracking } from "../../migrations/tracking/rows.ts";
import type { Session } from "../../postgres/session.ts";
import type { FoundRollback } from "./find.ts";
import type { UndoConflict, UndoPlan } from "./plan-types.ts";

/** A later rollback of the same migration that still stands. */
export interface NewerRollback {
  readonly rollbackId: string;
  readonly migration: string;
}

/** A migration that one of the rollback's needs, and that is itself rolled back. */
export interface NeededRollback {
  readonly migration: string;
  readonly on: string;
  /** The rollback to undo first; null when none is on record. */
  readonly rollbackId: string | null;
}

export interface UndoLedger {
  readonly rows: readonly { readonly migration: string; readonly status: string }[];
  readonly newer: NewerRollback | null;
  readonly needs: readonly NeededRollback[];
  readonly tracking: UndoPlan["returns"]["tracking"];
  /** The same, with who did it where the records tell. */
  readonly conflicts: readonly UndoConflict[];
}

/** What ledger and records say of the rollback's migrations, and who did what stands in the way. */
export async function readLedgerOfUndo(
  session: Session,
  found: FoundRollback,
  only: readonly string[],
  conflicts: readonly UndoConflict[],
): Promise<UndoLedger> {
  const ledger = (await readLedger(session)).filter(({ name }) => found.migrations.includes(name));
  const authors = await readAuthors(session, found, conflicts);
  return {
    rows: ledger.map(({ name, status }) => ({ migration: name, status })),
    newer: await readNewer(session, found),
    needs: only.length > 0 ? [] : await readNeeds(session, found.migrations),
    tracking: only.length > 0 ? [] : trackingOf(ledger),
    conflicts: conflicts.map((each) => ({ ...each, by: authors.get(each.subject) ?? null })),
  };
}

async function readNewer(session: Session, found: FoundRollback): Promise<NewerRollback | null> {
  const [row] = await session.sql`
    select r.id, m.name
      from belay.rollbacks r
      cross join lateral (select r.migration_name as name
                          union select jsonb_array_elements_text(jsonb_path_query_array(r.plan, '$.migrations[*].migration'))) m
     where r.kind = 'rollback' and r.outcome = 'committed' and r.id::text <> ${found.rollbackId}
       and r.finished_at > ${found.finishedAt} and m.name = any(${[...found.migrations]}::text[])
     order by r.finished_at desc limit 1`;
  return row === undefined ? null : { rollbackId: row.id, migration: row.name };
}

async function readNeeds(session: Session, migrations: readonly string[]): Promise<NeededRollback[]> {
  const names = [...migrations];
  const rows = await session.sql`
    select distinct on (d.migration_name, d.depends_on) d.migration_name as migration, d.depends_on as on, r.id
      from belay.migration_dependencies d join belay.migration_history h on h.migration_name = d.depends_on
           left join belay.rollbacks r on r.kind = 'rollback' and r.outcome = 'committed'
             and (r.migration_name = d.depends_on or jsonb_path_query_array(r.plan, '$.migrations[*].migration') ? d.depends_on)
     where d.migration_name = any(${names}::text[]) and d.depends_on <> all(${names}::text[]) and h.status = 'rolled_back'
     order by d.migration_name, d.depends_on, r.finished_at desc`;
  return rows.map((row) => ({ migration: row.migration, on: row.on, rollbackId: row.id ?? null }));
}

/** Migrations applied since that changed what conflicts, and rollbacks that took what is missing. */
async function readAuthors(
  session: Session,
  found: FoundRollback,
  conflicts: readonly UndoConflict[],
): Promise<Map<string, string>> {
  const keys = [...new Set(conflicts.map(({ subject }) => subject))];
  if (keys.length === 0) return new Map();
  const rows = await session.sql`
    select c.key, 'by migration ' || c.migration_name as by, h.applied_at as at
      from belay.migration_changes c join belay.migration_history h using (migration_name)
     where c.key = any(${keys}::text[]) and h.status = 'applied' and h.applied_at > ${found.finishedAt}
    union all
    select e ->> 'key', 'taken by rollback ' || r.id || ' of ' || r.migration_name || ': undo that first', r.finished_at
      from belay.rollbacks r cross join lateral jsonb_array_elements(r.report -> 'remembered' -> 'removed') e
     where r.kind = 'rollback' and r.outcome = 'committed' and r.id::text <> ${found.rollbackId}
       and e ->> 'key' = any(${keys}::text[])
     order by at`;
  return new Map(rows.map((row) => [row.key as string, row.by as string]));
}

function trackingOf(ledger: readonly LedgerRow[]): UndoPlan["returns"]["tracking"] {
  return ledger.flatMap(({ name, metadata }) => {
    const table = keptTracking(metadata);
    return table === null ? [] : [{ migration: name, table: `${table.schema}.${table.table}`, tool: table.tool }];
  });
}
