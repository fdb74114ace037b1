import { qualified } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { TrackingTable } from "../types.ts";
import { sameVersion } from "./tables.ts";
import { trackingTools } from "./tools.ts";

interface Tracked {
  readonly name: string;
  readonly version: string;
}

/**
 * Takes a migration out of the tool's table, in the transaction of its rollback. The rows taken are kept in the
 * ledger's metadata, so that `restoreToTracking` puts back exactly them (supabase: name and statements too).
 * Returns false when the tool's table does not change: its pointer stands elsewhere, or the row was not there.
 */
export async function removeFromTracking(session: Session, table: TrackingTable, migration: Tracked): Promise<boolean> {
  if (table.tool === "golang-migrate") return movePointerBack(session, table, migration);
  const name = qualified(table.schema, table.table);
  const rows = (await trackedRows(session, table, "for update")).filter(
    (row) => sameVersion(row.version, migration.version) && !row.stays,
  );
  const taken = trackingTools[table.tool].byName
    ? rows.filter((row) => row.key === migration.name || row.key === `${migration.name}.sql`)
    : rows;
  await session.sql.unsafe(`delete from ${name} where ctid = any ($1::text[]::tid[])`, [taken.map((row) => row.at)]);
  await keep(session, migration, { table, rows: `[${taken.map((row) => row.row).join(",")}]` });
  return taken.length > 0;
}

/** A row of the tool's table that says a migration is applied, or half applied. */
export interface TrackedRow {
  readonly key: string;
  readonly version: string;
  /** The whole row as JSON text. */
  readonly row: string;
  /** No migration's own: Flyway's baseline stands for all up to it, goose's row 0 is its beginning. */
  readonly stays: boolean;
}

/** All rows of the tool's table that name a version. */
export async function trackedRows(
  session: Session,
  table: TrackingTable,
  lock: "" | "for update" = "",
): Promise<(TrackedRow & { readonly at: string })[]> {
  const tool = trackingTools[table.tool];
  const rows = await session.sql.unsafe<{ key: string | null; row: string; stays: boolean; at: string }[]>(
    `select ${tool.key} as key, to_jsonb(t)::text as row, t.ctid::text as at,
            coalesce(to_jsonb(t) ->> 'type' = 'BASELINE' or to_jsonb(t) ->> 'version_id' = '0', false) as stays
       from only ${qualified(table.schema, table.table)} t ${lock}`,
  );
  return rows.map((row) => ({ ...row, key: row.key ?? "", version: row.key === null ? "" : tool.versionOf(row.key) }));
}

/** The table out of which a rollback took the migration, from its ledger metadata; null when none was noted. */
export function keptTracking(metadata: Readonly<Record<string, unknown>>): TrackingTable | null {
  const kept = metadata.tracking as Partial<TrackingTable> | undefined;
  const { tool, schema, table } = kept ?? {};
  return tool && schema && table ? { tool, schema, table } : null;
}

/** Puts a migration back into the tool's table, in the transaction of an undo. */
export async function restoreToTracking(session: Session, table: TrackingTable, migration: Tracked): Promise<boolean> {
  const [kept] = await session.sql`
    select metadata -> 'tracking' ->> 'tool' as tool, (metadata -> 'tracking' -> 'rows')::text as rows
    from belay.migration_history where migration_name = ${migration.name}`;
  const rows = kept?.tool === table.tool ? (kept.rows as string | null) : null;
  const name = qualified(table.schema, table.table);
  const restored =
    table.tool === "golang-migrate"
      ? await movePointerUp(session, name, rows)
      : await insertRows(session, table, migration, rows);
  await session.sql`update belay.migration_history set metadata = metadata - 'tracking' where migration_name = ${migration.name}`;
  return restored;
}

async function insertRows(
  session: Session,
  table: TrackingTable,
  migration: Tracked,
  rows: string | null,
): Promise<boolean> {
  const name = qualified(table.schema, table.table);
  const bare = JSON.stringify(bareRows(table, migration));
  const inserted = await session.sql.unsafe(
    `insert into ${name} overriding system value select * from jsonb_populate_recordset(null::${name}, $1::text::jsonb)
     on conflict do nothing returning 1`,
    [rows === null || rows === "[]" ? bare : rows],
  );
  return inserted.length > 0;
}

/** A row for a migration that had none when it was rolled back, where the tool needs no more than its name. */
function bareRows(table: TrackingTable, { name, version }: Tracked): Record<string, string>[] {
  const now = new Date().toISOString();
  switch (table.tool) {
    case "supabase":
    case "dbmate":
      return [{ version }];
    case "diesel":
      return [{ version, run_on: now }];
    case "sql-migrate":
      return [{ id: `${name}.sql`, applied_at: now }];
    default:
      return [];
  }
}

async function movePointerBack(session: Session, table: TrackingTable, migration: Tracked): Promise<boolean> {
  const name = qualified(table.schema, table.table);
  const [current] = await session.sql.unsafe(`select version::text as version, dirty from ${name} for update`);
  const moves = current !== undefined && sameVersion(current.version, migration.version);
  const [previous] = await session.sql`
    select migration_version as version from belay.migration_history
    where status = 'applied' and migration_name <> ${migration.name} and migration_version ~ '^[0-9]+$'
      and migration_version::numeric < ${migration.version}::text::numeric
    order by migration_version::numeric desc limit 1`;
  if (moves && previous === undefined) await session.run(`delete from ${name}`);
  else if (moves)
    await session.sql.unsafe(`update ${name} set version = $1::text::bigint, dirty = false`, [previous!.version]);
  const pointer = moves ? (previous?.version ?? null) : (current?.version ?? null);
  await keep(session, migration, {
    table,
    rows: JSON.stringify(moves ? [{ version: current!.version }] : []),
    pointer,
  });
  return moves;
}

async function movePointerUp(session: Session, name: string, rows: string | null): Promise<boolean> {
  const [row] = rows === null ? [] : (JSON.parse(rows) as { version: string }[]);
  if (row === undefined) return false;
  await session.run(`delete from ${name}`);
  await session.sql.unsafe(`insert into ${name} (version, dirty) values ($1::text::bigint, false)`, [row.version]);
  return true;
}

/** `pointer`: where golang-migrate stands after the rollback; `sync` tells by it whether the migration was applied again. */
async function keep(
  session: Session,
  migration: Tracked,
  kept: { table: TrackingTable; rows: string; pointer?: string | null },
): Promise<void> {
  await session.sql`
    update belay.migration_history
    set metadata = metadata || jsonb_build_object('tracking', jsonb_build_object(
      'tool', ${kept.table.tool}::text, 'schema', ${kept.table.schema}::text, 'table', ${kept.table.table}::text, 'rows', ${kept.rows}::text::jsonb, 'pointer', ${kept.pointer ?? null}::text
    ))
    where migration_name = ${migration.name}`;
}
