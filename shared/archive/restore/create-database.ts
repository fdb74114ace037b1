import { quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import { databaseError, describeDatabase, sqlStateOf } from "../../postgres/errors.ts";
import { openSession, type Session } from "../../postgres/session.ts";
import { withDatabase } from "../../postgres/url.ts";
import { readCreateDatabase } from "../read/plain/create-database.ts";
import type { OpenedArchive } from "../read/types.ts";
import { databaseOptions } from "./plan/database.ts";

export interface CreatedDatabase {
  /** What of the archived database could not be had here, in words. */
  readonly warnings: readonly string[];
}

/**
 * Makes the empty database that the URL names, with the archived one's encoding and locale where the server has them.
 * Throws `restore_target` when it exists already, and the server's errors.
 */
export async function createDatabase(url: string, archive: OpenedArchive): Promise<CreatedDatabase> {
  const name = databaseName(url);
  const server = await openMaintenance(url);
  try {
    const [there] = await server.sql`select from pg_catalog.pg_database where datname = ${name}`;
    if (there !== undefined) throw exists(url);
    return await create(server, name, archive);
  } catch (error) {
    throw databaseError(error, { url, doing: "making the database" });
  } finally {
    await server.close();
  }
}

/** Whether the database that the URL names is there. */
export async function databaseExists(url: string): Promise<boolean> {
  const server = await openMaintenance(url);
  try {
    const [there] = await server.sql`select from pg_catalog.pg_database where datname = ${databaseName(url)}`;
    return there !== undefined;
  } finally {
    await server.close();
  }
}

async function create(server: Session, name: string, archive: OpenedArchive): Promise<CreatedDatabase> {
  const make = `CREATE DATABASE ${quoteIdent(name)} TEMPLATE template0`;
  const defn = await definition(archive);
  const encoding = archive.format === "plain" ? "UTF8" : archive.toc.encoding;
  const options = defn === null ? null : databaseOptions(defn, server.serverVersion);
  try {
    await server.run(`${make}${options === null ? ` ENCODING ${quoteLiteral(encoding)}` : options}`);
    return { warnings: [] };
  } catch (error) {
    // A locale that the server's system does not have, or a provider that its version does not know.
    if (options === null || !["22023", "42809", "0A000", "42601", "42704"].includes(sqlStateOf(error) ?? ""))
      throw error;
    await server.run(`${make} ENCODING ${quoteLiteral(encoding)}`);
    const why = (error as Error).message;
    return {
      warnings: [
        `the database has the server's own locale, not the archived one's (${why}): text may sort in another order`,
      ],
    };
  }
}

/** The archived database's CREATE DATABASE, or null when the archive has none. */
async function definition(archive: OpenedArchive): Promise<string | null> {
  if (archive.format === "plain") return await readCreateDatabase(archive);
  return archive.toc.entries.find(({ desc }) => desc === "DATABASE")?.defn ?? null;
}

/** A session in a database of the server that is there anyway, for making or dropping the one that the URL names. */
export async function openMaintenance(url: string): Promise<Session> {
  const at = (name: string) => openSession(withDatabase(url, name), { applicationName: "belay restore" });
  try {
    return await at("postgres");
  } catch (error) {
    return await at("template1").catch(() => Promise.reject(error));
  }
}

/** The database that a URL names; throws `usage` when it names none. */
export function databaseName(url: string): string {
  const name = URL.canParse(url) ? decodeURIComponent(new URL(url).pathname.slice(1)) : "";
  if (name !== "") return name;
  throw new BelayError("usage", "the URL names no database to restore into", {
    hint: "Write postgres://user:password@host:port/database",
  });
}

function exists(url: string): BelayError {
  return new BelayError("restore_target", `${describeDatabase(url)} exists already, so it cannot be created`, {
    hint: "Nothing was changed. Name another database, leave --create out to restore into this one when it is empty, or pass --resume to go on with a restore that was cut off.",
    details: { reason: "exists" },
  });
}
