import type { Belay } from "../../context.ts";
import type { Session, SessionOptions } from "../../postgres/session.ts";
import { ownPath } from "../../postgres/settings.ts";
import { silenceOf } from "./timeouts.ts";

/** The session beside the transaction: for the record, to cancel, and to ask what became of a COMMIT. */
export function openControl(
  belay: Belay,
  beforeSettings: SessionOptions["beforeSettings"] = async () => {},
): Promise<Session> {
  const { settings } = belay;
  return belay.openSession({
    applicationName: "belay control",
    parameters: { ...ownPath, statement_timeout: `${settings.statementTimeoutMs}ms` },
    silenceMs: silenceOf(settings),
    beforeSettings,
  });
}

/** A session for one transaction that holds locks. */
export function openWorker(belay: Belay, applicationName: string): Promise<Session> {
  return belay.openSession({ applicationName, parameters: ownPath, silenceMs: silenceOf(belay.settings) });
}

/** A session that reads what a plan is made from, and gives up where it would wait for a lock. */
export function openPlanner(belay: Belay): Promise<Session> {
  const { lockTimeoutMs, statementTimeoutMs } = belay.settings;
  return belay.openSession({
    applicationName: "belay plan",
    parameters: {
      row_security: "off",
      ...ownPath,
      lock_timeout: `${lockTimeoutMs}ms`,
      statement_timeout: `${statementTimeoutMs}ms`,
    },
    silenceMs: silenceOf(belay.settings),
  });
}
