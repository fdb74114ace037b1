import type { Belay } from "../../context.ts";
import { requireBelay } from "../../install.ts";
import { withSession } from "../../with-session.ts";
import { findDrift } from "./drift.ts";
import type { Drift } from "./types.ts";

/** What of the database was changed past its migrations; reads the whole catalog. Throws `belay_not_installed`. */
export async function databaseDrift(belay: Belay): Promise<Drift> {
  return withSession(belay, "belay status", async (session) => {
    await requireBelay(session);
    return await findDrift(session);
  });
}
