import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { Migration } from "../../shared/migrations/types.ts";
import { createDebianDatabase, describeWithDebian, pgDump } from "../support/debian.ts";
import { createDatabase, runSql } from "../support/postgres.ts";

const example = join(import.meta.dirname, "../../examples/shop/supabase");
const folder = await readMigrationFolder(join(example, "migrations"));

describe("the example", () => {
  it("is read without a problem and gives every migration rollback SQL", () => {
    expect(folder.problems).toEqual([]);
    expect(folder.migrations.length).toBeGreaterThanOrEqual(16);
    expect(folder.migrations.filter((migration) => migration.rollback === null)).toEqual([]);
    expect(folder.migrations.some((migration) => (migration.rollback?.reverses.length ?? 0) > 1)).toBe(true);
  });

  it("seeds the same 200,000 rows and more on every run", async () => {
    const [first, second] = await Promise.all([seeded(), seeded()]);
    expect(first.rows).toBeGreaterThan(200_000);
    expect(second).toEqual(first);
  });
});

describeWithDebian("the example's rollbacks", () => {
  it("are true inverses, one after the other from the top to an empty database, on rows", async () => {
    const database = await createDebianDatabase();
    const dumps: string[] = [];
    for (const migration of folder.migrations) {
      dumps.push(await pgDump(database.url, "-s"));
      await runSql(database.url, readFileSync(migration.file, "utf8"));
    }
    await runSql(database.url, readFileSync(join(example, "seed.sql"), "utf8"));
    for (const at of rollbackOrder(folder.migrations)) {
      await runSql(database.url, folder.migrations[at]!.rollback!.sql);
      const name = folder.migrations[at]!.name;
      expect({ name, dump: await pgDump(database.url, "-s") }).toEqual({ name, dump: dumps[at] });
    }
    await database.drop();
  });
});

/** Newest first; a rollback that reverses several migrations runs once, at the oldest of them. */
function rollbackOrder(migrations: readonly Migration[]): number[] {
  const done = new Set<string>();
  return migrations
    .map((migration, at) => ({ migration, at }))
    .filter(({ migration }) => {
      const file = migration.rollback!.file;
      const shared = migration.rollback!.reverses.length > 1;
      if (shared && done.has(file)) return false;
      done.add(file);
      return true;
    })
    .map(({ at }) => at)
    .reverse();
}

async function seeded(): Promise<{ rows: number; tables: unknown }> {
  const database = await createDatabase();
  const files = readdirSync(join(example, "migrations")).filter((name) => name.endsWith(".sql"));
  for (const file of files.sort()) await runSql(database.url, readFileSync(join(example, "migrations", file), "utf8"));
  await runSql(database.url, readFileSync(join(example, "seed.sql"), "utf8"));
  const sql = postgres(database.url, { max: 1 });
  const names = await sql`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname = 'public' order by 1`;
  const tables: { name: string; rows: number; hash: string | null }[] = [];
  for (const { name } of names) {
    const [counted] = await sql.unsafe(
      `select count(*)::int as rows, md5(string_agg(t::text, ',' order by t::text)) as hash from ${name} t`,
    );
    tables.push({ name, rows: counted!.rows, hash: counted!.hash });
  }
  await sql.end();
  await database.drop();
  return { rows: tables.reduce((sum, table) => sum + table.rows, 0), tables };
}
