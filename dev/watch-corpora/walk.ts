import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { type CatalogWatch, watchCatalog } from "../../shared/catalog/watch.ts";
import type { Session } from "../../shared/postgres/session.ts";

/** A migration with its rollback, as published. */
export interface PublishedMigration {
  readonly name: string;
  readonly up: string;
  readonly down: string | null;
}

/** What a walk through migrations and their rollbacks came to. */
export interface WalkResult {
  /** Steps at which the watch was compared with a whole read. */
  readonly compared: number;
  /** Migrations whose SQL failed. */
  readonly failed: readonly string[];
  /** Steps at which the watch told another catalog, with what differs. */
  readonly wrong: readonly string[];
  /** Milliseconds of the watch's reads, and of the whole reads beside them. */
  readonly watchMs: readonly number[];
  readonly wholeMs: readonly number[];
}

/** The migrations of a folder `NAME.up.sql`, `NAME.down.sql`, in order. */
export async function publishedMigrations(folder: string): Promise<PublishedMigration[]> {
  const files = new Set(await readdir(folder));
  const names = [...files].filter((file) => file.endsWith(".up.sql")).map((file) => file.slice(0, -".up.sql".length));
  const read = (file: string) => readFile(join(folder, file), "utf8").then(inTransaction);
  return await Promise.all(
    names.sort().map(async (name) => ({
      name,
      up: await read(`${name}.up.sql`),
      down: files.has(`${name}.down.sql`) ? await read(`${name}.down.sql`) : null,
    })),
  );
}

/** As it runs inside a transaction. */
function inTransaction(sql: string): string {
  return sql
    .replace(/^\uFEFF/, "")
    .replace(/\bconcurrently\b/gi, "")
    .replace(/^\s*(?:begin|commit|end|start transaction)(?: transaction)?\s*;/gim, "");
}

/**
 * Applies each migration, rolls it back with its own SQL and with a savepoint, and applies it again; at the steps that
 * `compares` picks, what the watch tells must be what a whole read tells.
 */
export async function walk(
  session: Session,
  migrations: readonly PublishedMigration[],
  compares: (migration: number) => boolean = () => true,
): Promise<WalkResult> {
  const result = {
    compared: 0,
    failed: [] as string[],
    wrong: [] as string[],
    watchMs: [] as number[],
    wholeMs: [] as number[],
  };
  const watch = watchCatalog(session);
  for (const [index, migration] of migrations.entries()) {
    const check = (step: string) =>
      compares(index) ? compare(session, watch, `${migration.name} ${step}`, result) : watch.read();
    await session.run("begin; savepoint before");
    await check("before");
    if (!(await applies(session, migration.up))) {
      result.failed.push(migration.name);
      await session.run("rollback");
      continue;
    }
    await check("up");
    if (migration.down !== null) {
      await session.run("savepoint up");
      if (await applies(session, migration.down)) await check("down");
      await session.run("rollback to savepoint up");
      await check("up, down undone");
    }
    await session.run("rollback to savepoint before");
    await check("undone");
    await applies(session, migration.up);
    await check("up again");
    await session.run("reset all; reset role; commit");
    await check("committed");
  }
  return result;
}

async function applies(session: Session, sql: string): Promise<boolean> {
  await session.run("savepoint applying");
  try {
    await session.run(sql);
    await session.run("set constraints all immediate; reset role");
    return true;
  } catch {
    await session.run("rollback to savepoint applying");
    return false;
  }
}

async function compare(
  session: Session,
  watch: CatalogWatch,
  step: string,
  result: { compared: number; wrong: string[]; watchMs: number[]; wholeMs: number[] },
): Promise<void> {
  const start = performance.now();
  const told = await watch.read();
  const middle = performance.now();
  const whole = await readCatalog(session);
  result.watchMs.push(middle - start);
  result.wholeMs.push(performance.now() - middle);
  result.compared++;
  const difference = firstDifference(told, whole);
  if (difference !== null) result.wrong.push(`${step}: ${difference}`);
}

/** Null where both are equal in every field, in the same order. */
export function firstDifference(told: Catalog, whole: Catalog): string | null {
  if (isDeepStrictEqual(told, whole)) return null;
  const expected = new Map(whole.entries.map((entry) => [entry.key, entry]));
  for (const entry of told.entries)
    if (!isDeepStrictEqual(entry, expected.get(entry.key)))
      return `told ${JSON.stringify(entry)}, is ${JSON.stringify(expected.get(entry.key))}`;
  const keys = new Set(told.entries.map(({ key }) => key));
  const missing = whole.entries.find(({ key }) => !keys.has(key));
  return missing === undefined ? "order, unknown objects or digest" : `does not tell ${missing.key}`;
}
