import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import { databaseUrl, runSql } from "../support/postgres.ts";

/** The platform's objects, as a file for `--scratch-setup`. */
export const platformFile = fileURLToPath(new URL("platform.sql", import.meta.url));

/** A server like a hosted project: supabase_admin is its superuser, `postgres` is not one. */
export interface Platform {
  readonly server: PostgresServer;
  /** URL of a database as supabase_admin. */
  admin(database: string): string;
  /** URL of a database as the role that a project's owner gets. */
  owner(database: string): string;
  /** A new database with the platform's objects; its name. */
  createProject(name: string): Promise<string>;
}

const ownerPassword = "not-a-secret";

export async function startPlatform(major?: 15 | 17 | 18): Promise<Platform> {
  const server = await startPostgres({ superuser: "supabase_admin", major });
  const admin = (database: string) => databaseUrl(server.url, database);
  const owner = (database: string) => {
    const url = new URL(admin(database));
    url.username = "postgres";
    url.password = ownerPassword;
    return url.href;
  };
  const setup = await readFile(platformFile, "utf8");
  await runSql(admin("postgres"), "create database project_template");
  await runSql(admin("project_template"), setup);
  await runSql(admin("postgres"), `alter role postgres password '${ownerPassword}'`);
  return {
    server,
    admin,
    owner,
    createProject: async (name) => {
      await runSql(admin("postgres"), `create database ${name} template project_template owner postgres`);
      return name;
    },
  };
}
