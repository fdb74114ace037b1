import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  drop(): Promise<void>;
}

export interface DatabaseOptions {
  /** Default: the run's server, chosen by BELAY_TEST_POSTGRES. Another one is started for this test file. */
  readonly major?: Major;
  /** SQL run in the new database, for example a schema. */
  readonly sql?: string;
  /** Belay's own schema is there already; on the run's server alone. */
  readonly installed?: boolean;
}

const others = new Map<Major, Promise<PostgresServer>>();

/** An empty database of its own; `drop` ends its sessions too. */
export async function createDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const template = options.installed === true && options.major === undefined ? inject("installedTemplate") : undefined;
  return createDatabaseOn(await serverUrl(options.major), options.sql, template);
}

/** Superuser's URL of the server's database `postgres`: a place where scratch databases may be created. */
export async function serverUrl(major?: Major): Promise<string> {
  if (major === undefined || major === inject("postgresMajor")) return inject("postgresUrl");
  let server = others.get(major);
  if (server === undefined) {
    server = startPostgres({ major });
    others.set(major, server);
  }
  return (await server).url;
}

/** An empty database on any server. */
export async function createDatabaseOn(server: string, sql?: string, template = "template1"): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  // Half the time of copying page by page through the log.
  await runSql(server, `create database ${name} template ${template} strategy file_copy`);
  const url = databaseUrl(server, name);
  if (sql !== undefined) await runSql(url, sql);
  return { url, name, drop: () => runSql(server, `drop database if exists ${name} with (force)`) };
}

/** The same server and user, another database. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs SQL text, several statements too, on a connection of its own. */
export async function runSql(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
