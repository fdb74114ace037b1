import type { Belay } from "../../context.ts";
import { withSession } from "../../with-session.ts";
import { buildIncident } from "./build.ts";
import { readRecords } from "./records.ts";
import type { Incident } from "./types.ts";

/** The incident report as the records have it now, also when it was never written; by id or migration; `latest`: of the newest. Throws `unknown_rollback`. */
export function showIncident(belay: Belay, rollbackId: string): Promise<Incident> {
  return withSession(belay, "belay incident", async (session) =>
    buildIncident(await readRecords(session, rollbackId), belay.now()),
  );
}
