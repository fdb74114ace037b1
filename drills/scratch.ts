import { randomBytes } from "node:crypto";
import type { Belay } from "../shared/context.ts";
import { BelayError, isBelayError } from "../shared/errors.ts";
import { openSession, type Session } from "../shared/postgres/session.ts";

export const scratchPrefix = "belay_scratch_";
const expiresAfterHours = 24;

/** Which database a session is in, whatever URL led there. */
export interface DatabaseIdentity {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
}

/** What the comment on a scratch database says; without it Belay drops nothing. */
interface Marker {
  readonly belay: "scratch";
  readonly drill: string;
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

/** Makes an empty, marked database on the scratch server; throws `scratch_unavailable`. */
export async function createScratch(belay: Belay, drillId: string, name: string): Promise<ScratchDatabase> {
  if (belay.scratchUrl === null)
    throw new BelayError("scratch_unavailable", "no scratch server is set, so there is nowhere to restore to", {
      hint: "Set BELAY_SCRATCH_URL or --scratch to a server where databases may be created.",
    });
  const serverUrl = belay.scratchUrl;
  const expires = new Date(belay.now().getTime() + expiresAfterHours * 3_600_000).toISOString();
  const marker: Marker = { belay: "scratch", drill: drillId, expires };
  const url = withDatabase(serverUrl, name);
  let made = false;
  try {
    await onServer(serverUrl, async (server) => {
      await server.run(`create database "${name}" template template0`);
      made = true;
      await server.run(`comment on database "${name}" is '${JSON.stringify(marker)}'`);
    });
    const session = await openSession(url, { applicationName: "belay drill", parameters: { row_security: "off" } });
    return { name, url, session, drop: () => dropScratch(serverUrl, name, drillId, session) };
  } catch (error) {
    if (made) await onServer(serverUrl, (server) => dropDatabase(server, name)).catch(() => {});
    const why = isBelayError(error) || error instanceof Error ? error.message : "unknown";
    throw new BelayError("scratch_unavailable", `the scratch database ${name} could not be made: ${why}`, {
      hint: "The role in BELAY_SCRATCH_URL needs CREATEDB, and the server room for the archive.",
      cause: error,
    });
  }
}

/** Drops a scratch database, but only when its name and its marker both say that it belongs to this drill. */
export async function dropScratch(
  serverUrl: string,
  name: string,
  drillId: string,
  session: Session | null,
): Promise<void> {
  await session?.destroy().catch(() => {});
  await onServer(serverUrl, async (server) => {
    const marker = await readMarker(server, name);
    if (name.startsWith(scratchPrefix) && marker?.drill === drillId) await dropDatabase(server, name);
  });
}

async function dropDatabase(server: Session, name: string): Promise<void> {
  await server.run(`drop database if exists "${name}" with (force)`);
}

export async function identityOf(session: Session): Promise<DatabaseIdentity> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_control_system()) as system,
      (select oid::int from pg_database where datname = current_database()) as oid`;
  return { systemIdentifier: row!.system, databaseOid: row!.oid };
}

export function sameDatabase(a: DatabaseIdentity, b: DatabaseIdentity): boolean {
  return a.systemIdentifier === b.systemIdentifier && a.databaseOid === b.databaseOid;
}

async function readMarker(server: Session, name: string): Promise<Marker | null> {
  const [row] = await server.sql`
    select shobj_description(oid, 'pg_database') as comment from pg_database where datname = ${name}`;
  try {
    const marker = JSON.parse(row?.comment ?? "null") as Partial<Marker> | null;
    return marker?.belay === "scratch" ? (marker as Marker) : null;
  } catch {
    return null;
  }
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url, { applicationName: "belay scratch" });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
