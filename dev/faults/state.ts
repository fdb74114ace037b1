import { readCatalog } from "../../shared/catalog/read.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";

/** A database as this harness reads it, with SQL of its own beside Belay's catalog digest. Belay's schema is left out. */
export interface State {
  readonly catalog: string;
  /** Rows and a digest of them, by table. */
  readonly tables: Readonly<Record<string, string>>;
  readonly sequences: Readonly<Record<string, number>>;
  readonly entries: Readonly<Record<string, string>>;
}

/** What the ledger, the tool's table and the records of rollbacks say. */
export interface Records {
  readonly ledger: readonly string[];
  readonly tracked: readonly string[];
  /** `kind outcome` of each rollback and undo, oldest first. */
  readonly rollbacks: readonly string[];
  /** Archives on which a rollback that counts depends. */
  readonly needed: readonly string[];
}

export async function onSession<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url, { applicationName: "harness" });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export async function readState(session: Session): Promise<State> {
  const catalog = await readCatalog(session);
  const relations = await session.sql`
    select c.relkind as kind, format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'S') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'belay', 'supabase_migrations')
     order by 2`;
  const tables: Record<string, string> = {};
  const sequences: Record<string, number> = {};
  for (const { kind, name } of relations)
    if (kind === "S") {
      const [row] = await session.run(`select last_value::float8 as value, is_called from ${name}`);
      sequences[name] = row!.value + (row!.is_called ? 0.5 : 0);
    } else tables[name] = await digestOf(session, name);
  return {
    catalog: catalog.digest,
    tables,
    sequences,
    entries: Object.fromEntries(catalog.entries.map(({ key, hash }) => [key, hash])),
  };
}

/** By the columns' names in order: a column that comes back stands last. */
async function digestOf(session: Session, table: string): Promise<string> {
  const columns = await session.sql`
    select string_agg(format('t.%I::text', attname), ', ' order by attname) as list from pg_attribute
     where attrelid = ${table}::text::regclass and attnum > 0 and not attisdropped`;
  const [row] = await session.run(
    `select count(*)::text as rows, coalesce(sum(hashtextextended(row(${columns[0]!.list})::text, 0)::numeric), 0)::text as digest from ${table} t`,
  );
  return `${row!.rows} rows, ${row!.digest}`;
}

export async function readRecords(session: Session): Promise<Records> {
  const list = async (query: string) => (await session.run(query)).map((row) => String(row.value));
  return {
    ledger: await list("select migration_name || ' ' || status as value from belay.migration_history order by 1"),
    tracked: await list("select version as value from supabase_migrations.schema_migrations order by 1"),
    rollbacks: await list("select kind || ' ' || outcome as value from belay.rollbacks order by started_at"),
    needed: await list(
      "select archive_id as value from belay.rollbacks where kind = 'rollback' and outcome = 'committed' and archive_id is not null",
    ),
  };
}

/** How a state differs from another; sequences may be ahead. Empty when it does not. */
export function differences(now: State, wanted: State): string[] {
  const found: string[] = [];
  if (now.catalog !== wanted.catalog) found.push(...keysOf("catalog", now.entries, wanted.entries));
  found.push(...keysOf("rows", now.tables, wanted.tables));
  for (const [name, value] of Object.entries(wanted.sequences))
    if ((now.sequences[name] ?? -1) < value) found.push(`sequence ${name} at ${now.sequences[name]}, not ${value}`);
  return found;
}

function keysOf(
  what: string,
  now: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): string[] {
  const keys = new Set([...Object.keys(now), ...Object.keys(wanted)]);
  return [...keys]
    .filter((key) => now[key] !== wanted[key])
    .slice(0, 4)
    .map((key) => `${what} of ${key}: ${now[key] ?? "absent"}, not ${wanted[key] ?? "absent"}`);
}
