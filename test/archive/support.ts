import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { archivesPrefix } from "../../shared/archive/types.ts";
import { isBelayError } from "../../shared/errors.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { psql } from "../support/debian.ts";

export interface SampleDatabase {
  readonly name: string;
  sql(): Promise<string>;
}

const corpora = fileURLToPath(new URL("../../../shared/corpora", import.meta.url));

/** Published databases and migrations, when they lie beside the repository. */
export const samples: readonly SampleDatabase[] = existsSync(corpora)
  ? [
      ...["pagila", "chinook", "northwind", "netflix"].map((name) => ({
        name,
        sql: () => readFile(`${corpora}/samples/${name}.sql`, "utf8"),
      })),
      ...["horizon", "concourse", "cratesio", "openmeter", "kratos"].map((name) => ({
        name,
        sql: () => allMigrations(`${corpora}/${name}`),
      })),
    ]
  : [];

async function allMigrations(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".up.sql")).sort();
  const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
  return texts.join("\n;\n");
}

const shop = fileURLToPath(new URL("../../examples/shop/supabase", import.meta.url));

/** The example project with all its migrations and rows. */
export const example: SampleDatabase = {
  name: "the example",
  sql: async () => {
    const files = (await readdir(`${shop}/migrations`)).filter((file) => file.endsWith(".sql")).sort();
    const paths = [...files.map((file) => `${shop}/migrations/${file}`), `${shop}/seed.sql`];
    return (await Promise.all(paths.map((path) => readFile(path, "utf8")))).join("\n;\n");
  },
};

/** Loads a sample into an empty database with stock psql. */
export async function load(url: string, sample: SampleDatabase): Promise<void> {
  await psql(url, await sample.sql());
}

/** A database with every shape of data that an archive must carry. */
export const rich: SampleDatabase = {
  name: "rich",
  sql: async () => {
    const text = await readFile(new URL("rich.sql", import.meta.url), "utf8");
    const role =
      "do $$ begin create role belay_archive_owner; exception when duplicate_object or unique_violation then null; end $$;";
    return text.replace("create role belay_archive_owner;", () => role);
  },
};

/** The folder that a folder store keeps an archive in. */
export function archiveFolder(store: ObjectStore, id: string): string {
  return join(fileURLToPath(store.url), archivesPrefix, id);
}

export async function keysIn(store: ObjectStore, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** The BelayError that `doing` ends with; fails when there is none, or when it has no hint. */
export async function errorOf(doing: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await doing;
  } catch (error) {
    if (!isBelayError(error)) throw error;
    expect(error.hint).toBeTruthy();
    return { code: error.code, message: error.message };
  }
  throw new Error("there was no error");
}
