import { qualified } from "../catalog/identifiers.ts";
import type { Session } from "../postgres/session.ts";
import { compareVersions } from "./layouts/source.ts";
import type { TrackingTable } from "./types.ts";

/** What the team's own tool says it applied. */
export interface Tracking {
  readonly table: TrackingTable;
  /** Versions as the tool writes them; for golang-migrate the current one alone. */
  readonly versions: readonly string[];
  /** golang-migrate alone: all migrations up to the current version count as applied. */
  readonly isPointer: boolean;
  /** When each version was applied, where the tool keeps it (goose, flyway). */
  readonly appliedAt: Readonly<Record<string, string>>;
  /** Version that the tool left half applied. */
  readonly dirty: string | null;
}

interface Candidate extends TrackingTable {
  readonly columns: readonly string[];
}

/** Schemas whose tables of that name belong to a platform's own services: auth.schema_migrations and others on Supabase. */
const servicesSchemas = ["auth", "storage", "realtime", "_realtime", "_analytics", "_supavisor", "supabase_functions"];

/** Finds the tables of supabase, golang-migrate, dbmate, goose and flyway by name and columns. */
export async function findTrackingTables(session: Session): Promise<TrackingTable[]> {
  const rows = await session.sql<{ schema: string; table: string; columns: string[]; types: string[] }[]>`
    select n.nspname as schema, c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'belay') and n.nspname !~ '^pg_temp'
      and n.nspname <> all (${servicesSchemas}::text[])
      and c.relname in ('schema_migrations', 'goose_db_version', 'flyway_schema_history')
    group by 1, 2 order by 1, 2`;
  return rows.flatMap((row) => {
    const tool = toolOf(row);
    return tool === null ? [] : [{ tool, schema: row.schema, table: row.table }];
  });
}

function toolOf({ schema, table, columns }: Omit<Candidate, "tool">): TrackingTable["tool"] | null {
  const has = (...names: string[]) => names.every((name) => columns.includes(name));
  if (table === "goose_db_version") return has("version_id", "is_applied") ? "goose" : null;
  if (table === "flyway_schema_history") return has("version", "success") ? "flyway" : null;
  if (!has("version")) return null;
  if (schema === "supabase_migrations") return "supabase";
  return has("dirty") ? "golang-migrate" : "dbmate";
}

/** The tracking table of the folder's tool: of several, the one that knows most of the given versions; null without any. */
export async function readTracking(session: Session, versions: readonly string[] = []): Promise<Tracking | null> {
  const readings: Tracking[] = [];
  for (const table of await findTrackingTables(session)) readings.push(await readTable(session, table));
  const known = (tracking: Tracking) => versions.filter((version) => isTracked(tracking, version)).length;
  return readings.sort((a, b) => known(b) - known(a))[0] ?? null;
}

/** Whether the tool says that a version is applied. */
export function isTracked(tracking: Tracking, version: string): boolean {
  if (!tracking.isPointer) return tracking.versions.some((tracked) => sameVersion(tracked, version));
  return tracking.versions.some((current) => compareVersions(version, current) <= 0);
}

/** When the tool applied a version; null when its table does not say. */
export function appliedAtOf(tracking: Tracking, version: string): string | null {
  return Object.entries(tracking.appliedAt).find(([tracked]) => sameVersion(tracked, version))?.[1] ?? null;
}

export function sameVersion(a: string, b: string): boolean {
  return compareVersions(a, b) === 0 || a.replace(/^0+(?=.)/, "") === b.replace(/^0+(?=.)/, "");
}

/** What the tool does next about a migration that was rolled back, for people. */
export function whatToolDoesNext(table: TrackingTable, name: string): string {
  const command = {
    supabase: "supabase db push",
    "golang-migrate": "migrate up",
    dbmate: "dbmate up",
    goose: "goose up",
    flyway: "flyway migrate",
  }[table.tool];
  return `${name} is pending again: \`${command}\` applies its file once more, unless you take it out or mend it.`;
}

/** The way out of golang-migrate's dirty state, for people. */
export function dirtyNote(tracking: Tracking): string | null {
  if (tracking.dirty === null) return null;
  return (
    `golang-migrate left version ${tracking.dirty} dirty: its SQL failed, and may be half applied when it held more than one transaction. ` +
    `Compare the database with that file, mend it, then say what is true with \`migrate force VERSION\`, and run \`belay sync\` again.`
  );
}

interface TrackedVersion {
  readonly version: string;
  readonly dirty: boolean;
  readonly applied_at?: string | null;
}

async function readTable(session: Session, table: TrackingTable): Promise<Tracking> {
  const name = qualified(table.schema, table.table);
  const query = {
    supabase: `select version::text as version, false as dirty from ${name}`,
    dbmate: `select version::text as version, false as dirty from ${name}`,
    "golang-migrate": `select version::text as version, dirty from ${name}`,
    // goose's row 0 is its own beginning; older gooses record a rollback as a later row that is not applied.
    goose: `select version, false as dirty, applied_at from (
        select distinct on (version_id) version_id::text as version, is_applied,
               (to_jsonb(t) ->> 'tstamp')::timestamptz::text as applied_at
          from ${name} t where version_id > 0 order by version_id, id desc
      ) latest where is_applied`,
    flyway: `select version::text as version, not success as dirty, (to_jsonb(t) ->> 'installed_on')::timestamptz::text as applied_at
      from ${name} t where version is not null`,
  }[table.tool];
  const rows = (await session.run(query)) as unknown as TrackedVersion[];
  return {
    table,
    versions: rows.map((row) => row.version),
    isPointer: table.tool === "golang-migrate",
    appliedAt: Object.fromEntries(rows.flatMap((row) => (row.applied_at ? [[row.version, row.applied_at]] : []))),
    dirty: rows.find((row) => row.dirty)?.version ?? null,
  };
}
