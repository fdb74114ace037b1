import { randomBytes } from "node:crypto";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { databaseError } from "./errors.ts";
import { openSession, type Session } from "./session.ts";

/** A scratch database for the time of one call. */
export interface Scratch {
  readonly url: string;
  readonly session: Session;
}

/** Makes an empty database on the scratch server, marked with purpose and expiry, and drops it whatever happens. */
export async function withScratch<T>(
  belay: Belay,
  purpose: string,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const server = belay.scratchUrl;
  if (server === null)
    throw new BelayError("scratch_unavailable", `no scratch server is set for ${purpose}`, {
      hint: "Set BELAY_SCRATCH_URL or --scratch to a server where databases may be created.",
    });
  const name = `belay_scratch_${randomBytes(8).toString("hex")}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  const expires = new Date(belay.now().getTime() + 86_400_000).toISOString();
  const marker = JSON.stringify({ belay: "scratch", drill: purpose, expires });
  let session: Session | null = null;
  try {
    await onServer(server, `create database "${name}" template template0`);
    await onServer(server, `comment on database "${name}" is '${marker.replaceAll("'", "''")}'`);
    session = await openSession(url.href, { applicationName: `belay ${purpose}` });
    return await work({ url: url.href, session });
  } finally {
    await session?.destroy().catch(() => {});
    await onServer(server, `drop database if exists "${name}" with (force)`).catch(() => {});
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const session = await openSession(url, { applicationName: "belay scratch" });
  try {
    await session.run(statement);
  } catch (error) {
    const cause = databaseError(error);
    throw new BelayError("scratch_unavailable", `the scratch server refused: ${cause.message}`, {
      hint: "The role in BELAY_SCRATCH_URL needs CREATEDB.",
      cause,
    });
  } finally {
    await session.close();
  }
}
