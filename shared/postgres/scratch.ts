import { randomBytes } from "node:crypto";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { databaseError } from "./errors.ts";
import { openSession, type Session } from "./session.ts";
import { dropSubscriptions } from "./subscriptions.ts";
import { withDatabase } from "./url.ts";

/** Names of scratch databases begin so; with the marker in its comment that makes a database one that Belay may drop. */
export const scratchPrefix = "belay_scratch_";
const expiresAfterHours = 24;

/** What the comment on a scratch database says; without it Belay drops nothing. */
interface Marker {
  readonly belay: "scratch";
  /** A drill's id, or what the database is for. */
  readonly owner: string;
  /** ISO 8601; after it the database is an orphan. */
  readonly expires: string;
}

export interface ScratchDatabase {
  readonly name: string;
  readonly url: string;
  readonly session: Session;
  /** Ends the session and drops the database; throws when that fails. */
  drop(): Promise<void>;
}

export function newScratchName(): string {
  return scratchPrefix + randomBytes(8).toString("hex");
}

/**
 * Makes a database on the scratch server, empty or a copy of `template` (to which nobody may be connected), marked with
 * owner and expiry; throws `scratch_unavailable`.
 */
export async function createScratch(
  belay: Pick<Belay, "scratchUrl" | "now">,
  owner: string,
  name: string,
  template = "template0",
): Promise<ScratchDatabase> {
  if (belay.scratchUrl === null)
    throw new BelayError("scratch_unavailable", "no scratch server is set: there is nowhere to make a database", {
      hint: "Set BELAY_SCRATCH_URL or --scratch to a server where databases may be created.",
    });
  const serverUrl = belay.scratchUrl;
  if (template === "template0") await reapScratch(serverUrl, belay.now()).catch(() => {});
  const expires = new Date(belay.now().getTime() + expiresAfterHours * 3_600_000).toISOString();
  const url = withDatabase(serverUrl, name);
  let made = false;
  try {
    await onServer(serverUrl, async (server) => {
      await server.run(`create database "${name}" template "${template.replaceAll('"', '""')}"`);
      made = true;
      await server.run(`comment on database "${name}" is '${marker({ belay: "scratch", owner, expires })}'`);
    });
    // Prepared: a scratch database's catalog is read again and again.
    const options = { applicationName: "belay scratch", parameters: { row_security: "off" }, prepare: true };
    const session = await openSession(url, options);
    return { name, url, session, drop: () => dropScratch(serverUrl, name, owner, session) };
  } catch (error) {
    if (made) await onServer(serverUrl, (server) => dropDatabase(server, serverUrl, name)).catch(() => {});
    throw new BelayError(
      "scratch_unavailable",
      `the scratch database ${name} could not be made: ${databaseError(error).message}`,
      { hint: "The role in BELAY_SCRATCH_URL needs CREATEDB, and the server room for the work.", cause: error },
    );
  }
}

/** A scratch database for the time of one call; dropped whatever happens. */
export async function withScratch<T>(
  belay: Belay,
  purpose: string,
  work: (scratch: ScratchDatabase) => Promise<T>,
): Promise<T> {
  const scratch = await createScratch(belay, purpose, newScratchName());
  try {
    return await work(scratch);
  } finally {
    // One that stays is marked, and the next scratch database's maker removes it.
    await scratch.drop().catch(() => {});
  }
}

/** Drops a scratch database, but only when its name and its marker both say that it is this owner's. */
export async function dropScratch(
  serverUrl: string,
  name: string,
  owner: string,
  session: Session | null,
): Promise<void> {
  await session?.destroy().catch(() => {});
  await onServer(serverUrl, async (server) => {
    const [row] = await server.sql`
      select shobj_description(oid, 'pg_database') as comment from pg_database where datname = ${name}`;
    if (name.startsWith(scratchPrefix) && readMarker(row?.comment)?.owner === owner)
      await dropDatabase(server, serverUrl, name);
  });
}

/** Drops scratch databases whose time is over: a killed process leaves them. Answers their names. */
export async function reapScratch(serverUrl: string, now: Date): Promise<string[]> {
  return await onServer(serverUrl, async (server) => {
    const rows = await server.sql`
      select datname as name, shobj_description(oid, 'pg_database') as comment from pg_database
       where starts_with(datname, ${scratchPrefix}) and datname <> current_database()`;
    const reaped: string[] = [];
    for (const { name, comment } of rows) {
      const found = readMarker(comment);
      if (found === null || !(Date.parse(found.expires) < now.getTime())) continue;
      await dropDatabase(server, serverUrl, name);
      reaped.push(name);
    }
    return reaped;
  });
}

async function dropDatabase(server: Session, serverUrl: string, name: string): Promise<void> {
  await dropSubscriptions(server, name, withDatabase(serverUrl, name));
  await server.run(`drop database if exists "${name.replaceAll('"', '""')}" with (force)`);
}

function marker(content: Marker): string {
  return JSON.stringify(content).replaceAll("'", "''");
}

function readMarker(comment: unknown): Marker | null {
  try {
    const found = JSON.parse(typeof comment === "string" ? comment : "null") as Partial<Marker> | null;
    const complete = found?.belay === "scratch" && typeof found.owner === "string" && typeof found.expires === "string";
    return complete ? (found as Marker) : null;
  } catch {
    return null;
  }
}

async function onServer<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url, { applicationName: "belay scratch" });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
