import { versionOf } from "../layouts/source.ts";
import type { TrackingTable } from "../types.ts";

export type TrackingToolName = TrackingTable["tool"];

/** A tool's own table: how it is told from others, what its rows say, and how the tool goes on. */
interface TrackingTool {
  /** The command that applies what is pending. */
  readonly command: string;
  /** Text of a row `t` that names its migration. */
  readonly key: string;
  /** Rows `t` that count as applied, or half applied. */
  readonly live: string;
  /** Boolean of a row `t`: left half applied. */
  readonly dirty: string;
  /** The column with the moment, if the tool keeps it. */
  readonly at: string | null;
  /** The key is the migration's whole name, with or without `.sql`: one version may occur twice. */
  readonly byName: boolean;
  /** The version in a key. */
  versionOf(key: string): string;
}

const plain = (key: string) => key;
const leading = (key: string) => versionOf(key) ?? key;
const always = { live: "true", dirty: "false", at: null, byName: false, versionOf: plain } as const;

/** Sources: each tool's own CREATE TABLE; Flyway's row types; goose's and Prisma's ways of recording what was taken back. */
export const trackingTools: Readonly<Record<TrackingToolName, TrackingTool>> = {
  supabase: { ...always, command: "supabase db push", key: "t.version::text" },
  dbmate: { ...always, command: "dbmate up", key: "t.version::text" },
  "golang-migrate": { ...always, command: "migrate up", key: "t.version::text", dirty: "t.dirty" },
  // Row 0 is goose's own beginning; older gooses record a rollback as a later row that is not applied.
  goose: {
    ...always,
    command: "goose up",
    key: "t.version_id::text",
    live: "t.version_id > 0 and (select l.is_applied from TABLE l where l.version_id = t.version_id order by l.id desc limit 1)",
    at: "tstamp",
  },
  flyway: {
    ...always,
    command: "flyway migrate",
    key: "t.version::text",
    live: "t.version is not null and (select to_jsonb(l) ->> 'type' is distinct from 'UNDO_SQL' from TABLE l where l.version = t.version order by l.installed_rank desc limit 1)",
    dirty: "not t.success",
    at: "installed_on",
  },
  "sql-migrate": {
    ...always,
    command: "sql-migrate up",
    key: "t.id::text",
    at: "applied_at",
    byName: true,
    versionOf: leading,
  },
  diesel: { ...always, command: "diesel migration run", key: "t.version::text", at: "run_on" },
  prisma: {
    ...always,
    command: "prisma migrate deploy",
    key: "t.migration_name::text",
    live: "t.rolled_back_at is null",
    dirty: "t.finished_at is null",
    at: "finished_at",
    byName: true,
    versionOf: leading,
  },
};

/** Tables by exactly these columns, whatever their name: Flyway, goose and golang-migrate let a team choose it. */
const anyName: readonly (readonly [TrackingToolName, readonly string[]])[] = [
  ["golang-migrate", ["version", "dirty"]],
  ["goose", ["id", "version_id", "is_applied", "tstamp"]],
  [
    "flyway",
    [
      "installed_rank",
      "version",
      "description",
      "type",
      "script",
      "checksum",
      "installed_by",
      "installed_on",
      "execution_time",
      "success",
    ],
  ],
];

/** The tool whose table this is, by name and columns; null when it is none's. */
export function toolOf(table: {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}): TrackingToolName | null {
  const { schema, table: name, columns } = table;
  const has = (...names: readonly string[]) => names.every((one) => columns.includes(one));
  const isExactly = (names: readonly string[]) => columns.length === names.length && has(...names);
  if (name === "goose_db_version" && has("id", "version_id", "is_applied")) return "goose";
  if (name === "flyway_schema_history" && has("installed_rank", "version", "success")) return "flyway";
  if (name === "gorp_migrations" && has("id", "applied_at")) return "sql-migrate";
  if (name === "__diesel_schema_migrations" && has("version", "run_on")) return "diesel";
  if (name === "_prisma_migrations" && has("migration_name", "finished_at", "rolled_back_at")) return "prisma";
  if (name === "schema_migrations" && has("version")) {
    if (schema === "supabase_migrations") return "supabase";
    return has("dirty") ? "golang-migrate" : "dbmate";
  }
  const known = anyName.find(([, names]) => isExactly(names))?.[0];
  if (known !== undefined) return known;
  // Too plain to be told by their columns alone.
  if (!/migrations?$/i.test(name)) return null;
  if (isExactly(["version"])) return "dbmate";
  return isExactly(["id", "applied_at"]) ? "sql-migrate" : null;
}

/** The way out of a half applied migration, by tool, for people. */
export function wayOutOfDirty(tool: TrackingToolName, version: string): string {
  const left = `${tool} left version ${version}`;
  const mend = "Compare the database with that file, mend it, then say what is true with";
  switch (tool) {
    case "flyway":
      return `${left} failed: what ran outside a transaction is still there. ${mend} \`flyway repair\`, and run \`belay sync\` again.`;
    case "prisma":
      return `${left} failed: its SQL may be half applied. ${mend} \`prisma migrate resolve --applied NAME\` (or --rolled-back NAME), and run \`belay sync\` again.`;
    default:
      return (
        `${left} dirty: its SQL failed, and may be half applied when it held more than one transaction. ` +
        `${mend} \`migrate force VERSION\`, and run \`belay sync\` again.`
      );
  }
}
