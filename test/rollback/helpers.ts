import { type MigrationText, migrationOf } from "../../dev/migration-of.ts";
import { tableDigest } from "../../shared/archive/table-digest.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import { installBelay } from "../../shared/install.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";

export type Pair = MigrationText;

/** Runs work on a session of its own. */
export async function withDatabase<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Installs Belay, runs each migration's forward SQL and puts it in the ledger. */
export async function apply(url: string, ...pairs: readonly Pair[]): Promise<void> {
  await withDatabase(url, async (session) => {
    await installBelay(session);
    for (const pair of pairs) {
      await session.run(pair.up);
      await insertMigration(session, migrationOf(pair), { actor: "tester", status: "applied" });
    }
  });
}

export async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return withDatabase(url, async (session) => [...(await session.run(sql))]);
}

export interface Whole {
  readonly catalog: string;
  readonly entries: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, string>>;
  readonly sequences: Readonly<Record<string, string>>;
}

/** Catalog, rows and sequences of a whole database, Belay's own left out. */
export async function photograph(url: string): Promise<Whole> {
  return withDatabase(url, async (session) => {
    const catalog = await readCatalog(session);
    const relations = await session.sql`
      select n.nspname as schema, c.relname as name, c.relkind as kind,
             array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and attnum > 0 and not attisdropped) as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'S') and n.nspname not in ('pg_catalog', 'information_schema', 'belay') order by 1, 2`;
    const tables: Record<string, string> = {};
    const sequences: Record<string, string> = {};
    for (const { schema, name, kind, columns } of relations) {
      if (kind === "r") {
        const { rows, digest } = await tableDigest(session, { schema, table: name, columns });
        tables[`${schema}.${name}`] = `${rows}/${digest}`;
      } else {
        const [row] = await session.run(`select last_value, is_called from "${schema}"."${name}"`);
        sequences[`${schema}.${name}`] = `${row!.last_value}/${row!.is_called}`;
      }
    }
    const entries = Object.fromEntries(catalog.entries.map(({ key, hash }) => [key, hash]));
    return { catalog: catalog.digest, entries, tables, sequences };
  });
}
