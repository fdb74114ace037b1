import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { psql } from "../support/debian.ts";

/** A real schema to read: `sql` gives the text that builds it in an empty database. */
export interface ExampleDatabase {
  readonly name: string;
  /** Roles that its SQL expects. */
  readonly roles: readonly string[];
  sql(): Promise<string>;
}

const corpora = fileURLToPath(new URL("../../../shared/corpora", import.meta.url));

/** Whether the published migrations and sample databases lie beside the repository. */
export const hasCorpora = existsSync(corpora);

export const oddRelations: ExampleDatabase = {
  name: "odd relations",
  roles: ["odd_amy", "odd_zed"],
  sql: () => readFile(new URL("odd-relations.sql", import.meta.url), "utf8"),
};

/** Inheritance of several levels, rare storage, chains of grants. */
export const moreRelations: ExampleDatabase = {
  name: "more odd relations",
  roles: ["odd_amy", '"odd Zed"'],
  sql: () => readFile(new URL("odd-relations-more.sql", import.meta.url), "utf8"),
};

/** What only servers 17 and newer have. */
export const seventeenRelations: ExampleDatabase = {
  name: "odd relations of 17",
  roles: [],
  sql: () => readFile(new URL("odd-relations-17.sql", import.meta.url), "utf8"),
};

/** What only servers 18 and newer have. */
export const newerRelations: ExampleDatabase = {
  name: "odd relations of 18",
  roles: [],
  sql: () => readFile(new URL("odd-relations-18.sql", import.meta.url), "utf8"),
};

export const exampleDatabases: readonly ExampleDatabase[] = [
  ...["pagila", "chinook", "northwind", "netflix"].map((name) => ({
    name,
    roles: [],
    sql: () => readFile(`${corpora}/samples/${name}.sql`, "utf8"),
  })),
  ...["horizon", "concourse", "cratesio", "kratos", "openmeter"].map((name) => ({
    name,
    roles: [],
    sql: () => allMigrations(`${corpora}/${name}`),
  })),
  { name: "archives/source.sql", roles: ["alice", "bob"], sql: archivesSource },
];

/** Loads an example into an empty database with stock psql. */
export async function load(url: string, database: ExampleDatabase): Promise<void> {
  await psql(url, `${rolesSql(database)}\n${await database.sql()}`);
}

/** Creates the roles that an example expects where they do not exist yet. */
export function rolesSql(database: ExampleDatabase): string {
  return database.roles
    .map(
      (role) =>
        `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$;`,
    )
    .join("\n");
}

async function allMigrations(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".up.sql")).sort();
  const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, "utf8")));
  return texts.join("\n;\n");
}

async function archivesSource(): Promise<string> {
  const text = await readFile(`${corpora}/archives/source.sql`, "utf8");
  return text.replace(/^CREATE ROLE .*$/m, "").replace(/^ALTER DATABASE .*$/m, "");
}
