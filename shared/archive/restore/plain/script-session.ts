import { openSession, type Session } from "../../../postgres/session.ts";

/** Settings that pg_dump 9.6 to 18 writes and that not every server knows. */
const dumpSettings = [
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "transaction_timeout",
  "row_security",
  "xmloption",
  "default_tablespace",
  "default_table_access_method",
  "default_with_oids",
  "default_toast_compression",
];

/**
 * Opens a session as psql would have it: a script is written for the server's own defaults of dates, time zone and
 * search_path. Only limits on time are lifted, and commits need not be on disk before the last one.
 */
export async function openScriptSession(url: string): Promise<Session> {
  const session = await openSession(url, { applicationName: "belay restore" });
  try {
    await asPsql(session);
    return session;
  } catch (error) {
    await session.destroy().catch(() => {});
    throw error;
  }
}

/** Puts the session's settings back to those of a new connection. */
export async function asPsql(session: Session): Promise<void> {
  const timeout = session.serverVersion >= 170_000 ? "SET transaction_timeout = 0;" : "";
  await session.run(
    `RESET SESSION AUTHORIZATION; RESET ALL; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;
     SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ${timeout}
     SET client_min_messages = warning; SET synchronous_commit = off; SET tcp_keepalives_idle = 30`,
  );
}

export async function readUnknownSettings(session: Session): Promise<Set<string>> {
  const rows = await session.sql<{ name: string }[]>`
    select name from unnest(${dumpSettings}::text[]) as name where pg_catalog.current_setting(name, true) is null`;
  return new Set(rows.map(({ name }) => name));
}
