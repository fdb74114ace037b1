import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import { startSeries, storeState } from "../../catalog/states.ts";
import type { Session } from "../../postgres/session.ts";
import { listed, plural } from "../../words.ts";

/**
 * Completes what create_migration_snapshot began: where every object still has the digest of then, the catalog of now is
 * the catalog of then. Answers a note for each snapshot since the last live one.
 */
export async function completeSnapshots(session: Session): Promise<string[]> {
  const open = await session.sql<{ id: string; name: string; description: string }[]>`
    select s.id, s.migration_name as name, s.description from belay.snapshots s
     where s.origin = 'sql' and s.account is not null and s.created_at > coalesce((
       select max(l.created_at) from belay.snapshots l where l.origin = 'live'), '-infinity')
     order by s.created_at`;
  if (open.length === 0) return [];
  const changes = await session.sql<{ id: string; what: string }[]>`
    with now as materialized (select key, value from jsonb_each_text(belay.account_by_object()))
    select s.id, d.key as what from belay.snapshots s, lateral (
      select coalesce(n.key, t.key) as key from jsonb_each_text(s.account) t full join now n on n.key = t.key
       where n.value is distinct from t.value
    ) d where s.id = any(${open.map(({ id }) => id)}::uuid[]) order by 1, 2`;
  const notes: string[] = [];
  for (const { id, name, description } of open) {
    const changed = changes.filter((each) => each.id === id).map(({ what }) => what);
    const title = `the snapshot of ${name}${description === "" ? "" : ` (${description})`}`;
    if (changed.length === 0) await complete(session, id);
    notes.push(
      changed.length === 0
        ? `${title} is complete: nothing changed since it was taken`
        : `${title} stays a comparison only: ${plural(changed.length, "object")} changed since (${listed(changed, 5)})`,
    );
  }
  return notes;
}

async function complete(session: Session, id: string): Promise<void> {
  const catalog = await readSnapshotCatalog(session);
  const state = await storeState(session, catalog, startSeries());
  await session.sql`
    update belay.snapshots set origin = 'live', account = null, digest = ${catalog.digest}, state = ${state},
      unknown = ${JSON.stringify(catalog.unknown)}::text::jsonb
    where id = ${id}`;
}
