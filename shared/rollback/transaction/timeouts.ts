import type { Settings } from "../../config.ts";
import type { Session } from "../../postgres/session.ts";

/** Longest time that our transaction may sit idle before the server ends it; the archive step pings more often. */
export const idleLimitMs = 60_000;

/** A whole transaction may take this many statement timeouts (17 and newer): an archive is many statements. */
const transactionStatements = 6;

/** Lets the server notice a vanished client while a statement runs; servers without support refuse the setting. */
export async function watchClient(session: Session): Promise<void> {
  await session.sql`select set_config('client_connection_check_interval', '2s', false)`.catch(() => {});
}

/** Begins a READ COMMITTED transaction whose limits are set inside of it: they vanish with it, so every attempt sets them again. */
export async function beginLimited(session: Session, settings: Settings): Promise<void> {
  await session.run("begin transaction isolation level read committed read write");
  await setLimits(session, settings);
}

/** Sets the transaction's limits; also after rollback SQL may have changed them. */
export async function setLimits(session: Session, settings: Settings): Promise<void> {
  const limits: Record<string, string> = {
    statement_timeout: `${settings.statementTimeoutMs}ms`,
    lock_timeout: `${settings.lockTimeoutMs}ms`,
    idle_in_transaction_session_timeout: `${idleLimitMs}ms`,
    row_security: "off",
    // Otherwise the server would read a text with backslashes as other statements than Postgres' parser did here.
    standard_conforming_strings: "on",
    tcp_keepalives_idle: "10",
    tcp_keepalives_interval: "5",
    tcp_keepalives_count: "3",
  };
  if (session.serverVersion >= 170_000)
    limits.transaction_timeout = `${settings.statementTimeoutMs * transactionStatements}ms`;
  for (const [name, value] of Object.entries(limits)) await setLocal(session, name, value);
}

/** `SET LOCAL` with a value as a parameter. */
export async function setLocal(session: Session, name: string, value: string): Promise<void> {
  await session.sql`select set_config(${name}, ${value}, true)`;
}
