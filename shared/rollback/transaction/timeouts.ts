import type { Settings } from "../../config.ts";
import type { Session } from "../../postgres/session.ts";

/** A whole transaction may take this many statement timeouts (17 and newer): an archive is many statements. */
const transactionStatements = 6;

/** Our own clock gives up first, with a message that says why. */
const graceMs = 1_000;

/** How long the server may be silent after a request: it ends a statement itself before that. */
export function silenceOf({ statementTimeoutMs }: Settings): number {
  return statementTimeoutMs + 5 * graceMs;
}

/** How long a frozen client may keep the locks of an undo, whose rows come from it. */
export function frozenUndoMs({ criticalSectionMs }: Settings): number {
  return 2 * (criticalSectionMs + graceMs);
}

/** Lets the server notice a vanished client while a statement runs; servers without support refuse the setting. */
export async function watchClient(session: Session): Promise<void> {
  await session.sql`select set_config('client_connection_check_interval', '2s', false)`.catch(() => {});
}

/** Begins a READ COMMITTED transaction whose limits are set inside of it: they vanish with it, so every attempt sets them again. */
export async function beginLimited(session: Session, settings: Settings): Promise<void> {
  await session.run("begin transaction isolation level read committed read write");
  await setLimits(session, settings);
}

/**
 * `waiting`: up to the rollback SQL, as the settings say. `critical`: from its first lock to COMMIT; nobody's freeze may
 * keep those locks much longer than criticalSectionMs.
 */
export type Phase = "waiting" | "critical";

/** Sets the transaction's limits; also after rollback SQL may have changed them. */
export async function setLimits(session: Session, settings: Settings, phase: Phase = "waiting"): Promise<void> {
  const critical = settings.criticalSectionMs + graceMs;
  const statement =
    phase === "critical" ? Math.min(critical, settings.statementTimeoutMs) : settings.statementTimeoutMs;
  const limits: [string, string][] = [
    ["statement_timeout", `${statement}ms`],
    ["lock_timeout", `${settings.lockTimeoutMs}ms`],
    [
      "idle_in_transaction_session_timeout",
      `${phase === "critical" ? Math.min(critical, settings.idleMs) : settings.idleMs}ms`,
    ],
    ["row_security", "off"],
    // Otherwise the server would read a text with backslashes as other statements than Postgres' parser did here.
    ["standard_conforming_strings", "on"],
    ["tcp_keepalives_idle", "10"],
    ["tcp_keepalives_interval", "5"],
    ["tcp_keepalives_count", "3"],
    // Where a database or role has it off, a crash could take back a COMMIT that was answered.
    ["synchronous_commit", "on"],
  ];
  if (session.serverVersion >= 170_000) {
    // Its clock runs on when only the limit changes: off and on again starts it anew.
    limits.push(["transaction_timeout", "0"]);
    limits.push([
      "transaction_timeout",
      `${phase === "critical" ? 2 * critical : settings.statementTimeoutMs * transactionStatements}ms`,
    ]);
  }
  await session.sql`select set_config(l.name, l.value, true)
    from unnest(${limits.map(([name]) => name)}::text[], ${limits.map(([, value]) => value)}::text[]) as l (name, value)
   where l.name <> 'synchronous_commit' or current_setting(l.name) = 'off'`;
}

/** `SET LOCAL` with a value as a parameter. */
export async function setLocal(session: Session, name: string, value: string): Promise<void> {
  await session.sql`select set_config(${name}, ${value}, true)`;
}
