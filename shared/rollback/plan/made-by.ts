import type { Session } from "../../postgres/session.ts";
import { parseSql } from "../../sql/parse.ts";
import { type Node, nodes } from "../effect/sql-nodes.ts";
import type { Maker } from "./obstacles.ts";
import type { EntryChange, MadeByMigrations } from "./provenance.ts";

interface ChangeRow {
  readonly key: string;
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
  readonly before_hash: string | null;
  readonly after_hash: string | null;
  /** CREATE text, for tables that lose columns. */
  readonly before_create: string | null;
  readonly after_create: string | null;
}

/**
 * What migrations (oldest first) made, changed and removed, with what is to be known of `keys`; null when no snapshot
 * tells. `columned`: keys of tables of which the columns matter. `origin`: `live` or `replayed`.
 */
export async function readMadeBy(
  session: Session,
  migrations: readonly string[],
  keys: readonly string[],
  columned: readonly string[],
): Promise<(MadeByMigrations & { readonly origin: string }) | null> {
  const snapshots = await session.sql`
    select m.name, belay.state_at(m.name, 'before') as before, belay.state_at(m.name, 'after') as after,
           (select s.origin from belay.snapshots s where s.migration_name = m.name and s.moment = 'after' and s.origin <> 'sql'
             order by s.created_at desc limit 1) as origin
      from unnest(${[...migrations]}::text[]) with ordinality as m (name, position) order by m.position`;
  const [first, last] = [snapshots.at(0)!, snapshots.at(-1)!];
  if (first.before === null || last.after === null) return null;
  const each = snapshots.every(({ before, after }) => before !== null && after !== null);
  const rows = each
    ? await readChanges(session, migrations, columned)
    : await readDifference(session, first.before, last.after, columned);
  const changes = folded(rows);
  const unchanged = keys.filter((key) => !changes.has(key));
  const standing = await readStanding(session, first.before, unchanged);
  return {
    origin: last.origin,
    changes,
    standing: new Set(standing.keys()),
    columns: new Map(columned.map((key) => [key, columnsOf(key, rows, standing)])),
  };
}

async function readChanges(session: Session, migrations: readonly string[], columned: readonly string[]) {
  return await session.sql<ChangeRow[]>`
    select c.key, c.kind, e.entry ->> 'schema' as schema, e.entry ->> 'name' as name, c.before_hash, c.after_hash, b.entry ->> 'create' as before_create, a.entry ->> 'create' as after_create
      from unnest(${[...migrations]}::text[]) with ordinality as m (name, position)
           join belay.migration_changes c on c.migration_name = m.name
           join belay.snapshot_entries e on e.id = coalesce(c.after_entry, c.before_entry)
           left join belay.snapshot_entries b on b.id = c.before_entry and c.key = any(${[...columned]}::text[])
           left join belay.snapshot_entries a on a.id = c.after_entry and c.key = any(${[...columned]}::text[])
     order by m.position, c.key`;
}

/** Where a migration in the middle has no snapshots: what lies between the outer ones, whoever did it. */
async function readDifference(session: Session, before: number, after: number, columned: readonly string[]) {
  return await session.sql<ChangeRow[]>`
    select c.key, c.kind, e.entry ->> 'schema' as schema, e.entry ->> 'name' as name, c.before_hash, c.after_hash, b.entry ->> 'create' as before_create, a.entry ->> 'create' as after_create
      from belay.state_changes(${before}, ${after}) c
           join belay.snapshot_entries e on e.id = coalesce(c.after_entry, c.before_entry)
           left join belay.snapshot_entries b on b.id = c.before_entry and c.key = any(${[...columned]}::text[])
           left join belay.snapshot_entries a on a.id = c.after_entry and c.key = any(${[...columned]}::text[])
     order by c.key`;
}

/** The first before and the last after of each key. */
function folded(rows: readonly ChangeRow[]): Map<string, EntryChange> {
  const changes = new Map<string, EntryChange>();
  for (const { key, kind, schema, name, before_hash, after_hash } of rows) {
    const before = changes.has(key) ? changes.get(key)!.before : before_hash;
    changes.set(key, { key, kind, schema, name, before, after: after_hash });
  }
  return changes;
}

/** Those of `keys` that a state has, with their CREATE text. */
async function readStanding(session: Session, state: number, keys: readonly string[]): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const rows = await session.sql`
    with wanted as materialized (select id, key, entry ->> 'create' as create from belay.snapshot_entries where key = any(${[...keys]}::text[]))
    select w.key, w.create from belay.state_entries(${state}, array(select id from wanted)) i join wanted w on w.id = i`;
  return new Map(rows.map((row) => [row.key as string, row.create as string]));
}

function columnsOf(key: string, rows: readonly ChangeRow[], standing: ReadonlyMap<string, string>) {
  const own = rows.filter((row) => row.key === key);
  const [first] = own;
  if (first === undefined) {
    const columns = columnsOfTable(standing.get(key) ?? null);
    return { before: columns, after: columns };
  }
  const before = columnsOfTable(first.before_create);
  const after = new Set(before);
  for (const row of own) {
    const [was, is] = [columnsOfTable(row.before_create), columnsOfTable(row.after_create)];
    for (const column of is) if (!was.includes(column)) after.add(column);
    for (const column of was) if (!is.includes(column)) after.delete(column);
  }
  return { before, after: [...after] };
}

/** Column names of a CREATE TABLE as an entry words it. */
function columnsOfTable(create: string | null): string[] {
  if (create === null) return [];
  return parseSql(create, { file: "snapshot", line: 1 })
    .filter((statement) => statement.kind === "CreateStmt")
    .flatMap((statement) => nodes((statement.node as Node).tableElts))
    .flatMap((element) => ((element.ColumnDef as Node | undefined)?.colname as string | undefined) ?? []);
}

/** The newest of the applied migrations that made each key. */
export async function findMakers(session: Session, keys: readonly string[]): Promise<Map<string, Maker>> {
  if (keys.length === 0) return new Map();
  const rows = await session.sql`
    select distinct on (c.key) c.key, c.migration_name as migration, h.migration_version as version
      from belay.migration_changes c join belay.migration_history h using (migration_name)
     where c.key = any(${[...keys]}::text[]) and c.before_entry is null and h.status <> 'rolled_back'
     order by c.key, h.migration_version desc`;
  return new Map(rows.map(({ key, migration, version }) => [key as string, { migration, version }]));
}
