import { appendAudit } from "../shared/audit.ts";
import type { Belay } from "../shared/context.ts";
import { inTransaction } from "../shared/migrations/transaction.ts";
import { dropScratch } from "../shared/postgres/scratch.ts";
import { withSession } from "../shared/with-session.ts";

/** Hours after which a drill that never finished counts as abandoned: longer than any worker may run one. */
const abandonedAfterHours = 6;

/** Ends the record of drills whose process died, and drops their scratch databases. Returns their ids. */
export async function settleAbandoned(belay: Belay): Promise<string[]> {
  return withSession(belay, "belay drills", async (session) => {
    const rows = await session.sql`
      select id, scratch_database from belay.drills
      where verdict = 'running' and started_at < now() - make_interval(hours => ${abandonedAfterHours})`;
    for (const { id, scratch_database } of rows) {
      if (scratch_database !== null && belay.scratchUrl !== null)
        await dropScratch(belay.scratchUrl, scratch_database, id, null);
      await inTransaction(session, "settling a drill", async () => {
        await session.sql`
          update belay.drills set verdict = 'inconclusive', finished_at = now(),
            summary = 'the process that ran this drill ended before it was done'
          where id = ${id} and verdict = 'running'`;
        await appendAudit(session, { actor: belay.actor, action: "drill.abandoned", subject: id });
      });
    }
    return rows.map((row) => row.id as string);
  });
}
