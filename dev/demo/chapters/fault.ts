import { listArchives } from "../../../shared/archive/list.ts";
import { openStore } from "../../../shared/store/open.ts";
import { ask } from "../ask.ts";
import { photograph } from "../measure.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";
import { destructive } from "./look.ts";

/** The same rollback while the store answers 500 in the middle of the upload. */
export async function failUpload(story: Story, world: World): Promise<void> {
  const store = openStore(world.store, world.s3);
  const before = await photograph(world.sql);
  const archives = (await listArchives(store)).length;
  const plan = await ask(world, "rollbacks", "POST", "/plans", {
    migration: destructive,
    reason: "again",
    waive: ["approved"],
  });
  world.s3.setFault({ kind: "500", keyContains: ".dat.gz" });
  const refused = await ask(world, "rollbacks", "POST", "/rollbacks", {
    migration: destructive,
    planHash: plan.body.hash,
    reason: "again, alone, while the store fails",
    waive: ["approved"],
  });
  world.s3.setFault(null);
  story.say(
    `POST /rollbacks/rollbacks → ${refused.status} ${refused.body.code}\n${refused.body.detail ?? refused.body.title}`,
  );
  story.expect("a clear error of the store", String(refused.body.code).startsWith("store_"), true);
  story.expect("status 5xx", refused.status >= 500, true);
  story.expect("every table and sequence as before", await photograph(world.sql), before);
  story.expect("no half archive is listed", (await listArchives(store)).length, archives);
  const [record] = await world.sql`
    select outcome, error_code from belay.rollbacks where migration_name = ${destructive} order by started_at desc limit 1`;
  story.expect("the failure is on record", { ...record! }, { outcome: "failed", error_code: refused.body.code });
  const [ledger] = await world.sql`select status from belay.migration_history where migration_name = ${destructive}`;
  story.expect("the migration stays applied", ledger!.status, "applied");
}
