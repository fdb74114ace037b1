import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { belay } from "../ask.ts";
import { type Picture, photograph, totals } from "../measure.ts";
import { number, type Story } from "../story.ts";
import { example, type World } from "../world.ts";

const files = readdirSync(join(example, "migrations"))
  .filter((name) => name.endsWith(".sql"))
  .sort();

/** The newest migration: it comes with the deployment that fails. */
export const newest = files.at(-1)!.slice(0, -4);

/** Applies the example's migrations but the newest, and fills the tables. */
export async function applyMigrations(story: Story, world: World): Promise<Picture> {
  const { sql } = world;
  await sql.unsafe(`create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`);
  const first = files.slice(0, -1);
  for (const file of first) await push(world, file.slice(0, -4));
  const [tracked] = await sql`select count(*)::int as migrations from supabase_migrations.schema_migrations`;
  story.expect(`${tracked!.migrations} migrations applied and tracked`, tracked!.migrations, first.length);
  await sql.unsafe(readFileSync(join(example, "seed.sql"), "utf8"));
  const picture = await photograph(sql);
  const { tables, rows } = totals(picture);
  story.expect(`${number(rows)} rows in ${tables} tables`, rows >= 200_000, true);
  const { code, output } = await belay(world, "init");
  story.say(`$ belay init\n${output}`);
  story.expect("schema belay is installed", code, 0);
  return picture;
}

/** Applies one migration as `supabase db push` does: the file and its row in one transaction. */
export async function push({ sql }: World, migration: string): Promise<void> {
  const text = readFileSync(join(example, "migrations", `${migration}.sql`), "utf8");
  const [version, name] = [migration.slice(0, 14), migration.slice(15)];
  await sql.begin(async (transaction) => {
    await transaction.unsafe(text);
    await transaction`insert into supabase_migrations.schema_migrations values (${version}, ${[text]}, ${name})`;
  });
}
