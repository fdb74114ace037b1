import { qualified } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import { canonicalVersion, compareVersions } from "../layouts/source.ts";
import type { TrackingTable } from "../types.ts";
import { toolOf, trackingTools, wayOutOfDirty } from "./tools.ts";

/** What the team's own tool says it applied. */
export interface Tracking {
  readonly table: TrackingTable;
  /** Versions as the tool writes them; for golang-migrate the current one alone. */
  readonly versions: readonly string[];
  /** Names, where the tool knows a migration by its whole name (sql-migrate, Prisma); null elsewhere. */
  readonly names: ReadonlySet<string> | null;
  /** golang-migrate alone: all migrations up to the current version count as applied. */
  readonly isPointer: boolean;
  /** Flyway alone: this version and all before it count as applied, without rows of their own. */
  readonly baseline: string | null;
  /** When each version was applied, where the tool keeps it. */
  readonly appliedAt: Readonly<Record<string, string>>;
  /** Version that the tool left half applied. */
  readonly dirty: string | null;
}

/** Schemas whose tables of that name belong to a platform's own services: auth.schema_migrations and others on Supabase. */
const servicesSchemas = ["auth", "storage", "realtime", "_realtime", "_analytics", "_supavisor", "supabase_functions"];

/** Columns of which each tool's table has one, so that not every table's columns are read. */
const telling = ["version", "version_id", "installed_rank", "applied_at", "migration_name"];

/** Finds the tables of the known tools by name and columns. */
export async function findTrackingTables(session: Session): Promise<TrackingTable[]> {
  const rows = await session.sql<{ schema: string; table: string; columns: string[] }[]>`
    select n.nspname as schema, c.relname as table,
      array(select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'belay') and n.nspname !~ '^(pg_|belay_kept_)'
      and n.nspname <> all (${servicesSchemas}::text[])
      and c.oid = any (array(select t.attrelid from pg_catalog.pg_attribute t
                              where t.attnum > 0 and t.attname = any (${telling}::text[])))
    order by 1, 2`;
  return rows.flatMap((row) => {
    const tool = toolOf(row);
    return tool === null ? [] : [{ tool, schema: row.schema, table: row.table }];
  });
}

/** The tracking table of the folder's tool: of several, the one that knows most of the given versions; null without any. */
export async function readTracking(session: Session, versions: readonly string[] = []): Promise<Tracking | null> {
  const readings: Tracking[] = [];
  for (const table of await findTrackingTables(session)) readings.push(await readTable(session, table));
  const known = (tracking: Tracking) => versions.filter((version) => isTracked(tracking, version)).length;
  return readings.sort((a, b) => known(b) - known(a))[0] ?? null;
}

/** Whether the tool says that a version is applied; by name where one is given and the tool goes by names. */
export function isTracked(tracking: Tracking, version: string, name?: string): boolean {
  if (tracking.names !== null && name !== undefined) return tracking.names.has(name);
  if (tracking.isPointer) return tracking.versions.some((current) => compareVersions(version, current) <= 0);
  if (tracking.baseline !== null && compareVersions(version, tracking.baseline) <= 0) return true;
  return tracking.versions.some((tracked) => sameVersion(tracked, version));
}

/** When the tool applied a version; null when its table does not say. */
export function appliedAtOf(tracking: Tracking, version: string): string | null {
  return Object.entries(tracking.appliedAt).find(([tracked]) => sameVersion(tracked, version))?.[1] ?? null;
}

/** `001` and `1`, `1_2` and `1.2`, `1.0` and `1` are each one version. */
export function sameVersion(a: string, b: string): boolean {
  return a === b || canonicalVersion(a) === canonicalVersion(b);
}

/** What the tool does next about a migration that was rolled back, for people. */
export function whatToolDoesNext(table: TrackingTable, name: string): string {
  const { command } = trackingTools[table.tool];
  return `${pendingAgain(name)}: \`${command}\` applies its file once more, unless you take it out or mend it.`;
}

/** How every note begins that says what happens next to a migration which was rolled back. */
export const pendingAgain = (name: string) => `${name} is pending again`;

/** The notes of a rollback that hold still when it was undone. */
export function notesOnceUndone(notes: readonly string[], migrations: readonly string[]): string[] {
  return notes.filter((note) => !migrations.some((name) => note.startsWith(pendingAgain(name))));
}

/** The way out of the tool's dirty state, for people; null when it is not dirty. */
export function dirtyNote(tracking: Tracking): string | null {
  return tracking.dirty === null ? null : wayOutOfDirty(tracking.table.tool, tracking.dirty);
}

async function readTable(session: Session, table: TrackingTable): Promise<Tracking> {
  const name = qualified(table.schema, table.table);
  const tool = trackingTools[table.tool];
  const at = tool.at === null ? "null" : `(to_jsonb(t) ->> '${tool.at}')::timestamptz::text`;
  const rows = await session.sql.unsafe<{ key: string; dirty: boolean; at: string | null; baseline: boolean }[]>(
    `select ${tool.key} as key, ${tool.dirty} as dirty, ${at} as at,
            coalesce(to_jsonb(t) ->> 'type' = 'BASELINE', false) as baseline
       from ${name} t where ${tool.live.replace("TABLE", () => name)}`,
  );
  const found = rows.map((row) => ({ ...row, version: tool.versionOf(row.key) }));
  return {
    table,
    versions: found.map((row) => row.version),
    names: tool.byName ? new Set(found.map((row) => row.key.replace(/\.sql$/, ""))) : null,
    isPointer: table.tool === "golang-migrate",
    baseline: table.tool === "flyway" ? (found.find((row) => row.baseline)?.version ?? null) : null,
    appliedAt: Object.fromEntries(found.flatMap((row) => (row.at ? [[row.version, row.at]] : []))),
    dirty: found.find((row) => row.dirty)?.version ?? null,
  };
}
