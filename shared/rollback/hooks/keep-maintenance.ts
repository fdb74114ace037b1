import type { Belay } from "../../context.ts";
import type { Policy } from "../plan/policy.ts";
import { within } from "./attempts.ts";
import type { Journal } from "./journal.ts";
import { type Maintenance, renew, switchOff, switchOn } from "./maintenance.ts";
import type { MaintenanceResult } from "./types.ts";

const patienceMs = 10_000;

export interface RunningMaintenance {
  readonly result: MaintenanceResult;
  end(): Promise<void>;
}

/**
 * Switches maintenance on, committed at once, and renews it while the work lasts: without renewal it ends by itself. Never
 * throws: a row that cannot be written is said, and stops nothing.
 */
export async function beginMaintenance(
  belay: Belay,
  { maintenance: { message, minutes } }: Policy,
  rollbackId: string,
  journal: Journal,
): Promise<RunningMaintenance> {
  belay.report({ phase: "maintenance", message: "switching maintenance on" });
  const on = journal.on((session) => switchOn(session, { rollbackId, message, minutes, actor: belay.actor }));
  const now = await within<Maintenance | null>(
    patienceMs,
    on.catch(() => null),
    () => null,
  );
  const used = now?.rollbackId === rollbackId;
  const evidence = used ? "on" : now === null ? "it could not be switched on" : ownersWords(now);
  const state = used ? "done" : now === null ? "failed" : "skipped";
  journal.note({ event: "maintenance_on", state, evidence, audit: "maintenance.on" });
  if (!used) return { result: { used, evidence }, end: async () => {} };
  const timer = setInterval(
    () => void journal.on((session) => renew(session, rollbackId, minutes)).catch(() => {}),
    (minutes * 60_000) / 3,
  );
  const result = { used, evidence: "switched on before the locks, and off after" };
  return {
    result,
    async end() {
      clearInterval(timer);
      const off = journal.on((session) => switchOff(session, rollbackId));
      const done = await within<boolean | null>(
        patienceMs,
        off.catch(() => null),
        () => null,
      );
      const said = offWords(done, minutes);
      if (done === null) result.evidence = said;
      journal.note({
        event: "maintenance_off",
        state: done === null ? "failed" : "done",
        evidence: said,
        audit: "maintenance.off",
      });
    },
  };
}

function ownersWords({ rollbackId, setBy }: Maintenance): string {
  return rollbackId === null
    ? `${setBy} had switched it on, and it stays on`
    : `it is on for the rollback ${rollbackId}`;
}

function offWords(done: boolean | null, minutes: number): string {
  if (done === null) return `it could not be switched off: it ends by itself within ${minutes} minutes`;
  return done ? "off" : "somebody else had switched it off or taken it over";
}
