import { listArchives, readManifest } from "../../../shared/archive/list.ts";
import { incidentFiles, manifestFile, receiptFile } from "../../../shared/archive/names.ts";
import { openStore } from "../../../shared/store/open.ts";
import type { StoredObject } from "../../../shared/store/types.ts";
import { edgePermissions } from "../../deno.ts";
import { ask } from "../ask.ts";
import { type Picture, photograph } from "../measure.ts";
import { byteText, number, type Story } from "../story.ts";
import { omar, type World } from "../world.ts";
import { destructive } from "./look.ts";

export interface RolledBack {
  readonly rollbackId: string;
  readonly archiveId: string;
}

/** Plans and executes over HTTP, in the function that runs under Deno. */
export async function rollBackOverHttp(story: Story, world: World, before: Picture): Promise<RolledBack> {
  story.say(`deno run ${edgePermissions.join(" ")} supabase/functions/rollbacks/index.ts`);
  const plan = await ask(world, "rollbacks", "POST", "/plans", {
    migration: destructive,
    reason: "points were counted twice",
  });
  story.say(
    `POST /rollbacks/plans → ${plan.status}, risk ${plan.body.risk}, hash ${String(plan.body.hash).slice(0, 12)}…`,
  );
  await fourEyes(story, world, plan.body.hash);
  const done = await ask(world, "rollbacks", "POST", "/rollbacks", {
    migration: destructive,
    planHash: plan.body.hash,
    reason: "points were counted twice",
  });
  if (done.status !== 200) story.say(JSON.stringify(done.body, null, 2));
  const millis = Math.round(done.body.criticalSectionMs ?? 0);
  story.say(`POST /rollbacks/rollbacks → ${done.status}, ${done.body.outcome}, ${millis} ms from first lock to COMMIT`);
  story.expect("committed", [done.status, done.body.outcome], [200, "committed"]);
  story.expect("the state before the migration is back", done.body.endState, "as_before");
  const [state] = await world.sql`
    select to_regclass('public.loyalty_events') is null as gone,
      (select status from belay.migration_history where migration_name = ${destructive}) as status,
      exists (select from supabase_migrations.schema_migrations where version = ${destructive.slice(0, 14)}) as tracked`;
  story.expect(
    "table gone, ledger says rolled back, tracking row gone",
    { ...state! },
    {
      gone: true,
      status: "rolled_back",
      tracked: false,
    },
  );
  const after = await photograph(world.sql);
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !name.startsWith("loyalty_")));
  story.expect(`the other ${Object.keys(kept).length} tables and sequences are untouched`, after, kept);
  return { rollbackId: done.body.rollbackId, archiveId: done.body.archiveId };
}

/** What destroys rows needs a second person: the operator alone is refused, the approver agrees to this very plan. */
async function fourEyes(story: Story, world: World, planHash: string): Promise<void> {
  const request = { migration: destructive, planHash, reason: "points were counted twice" };
  const alone = await ask(world, "rollbacks", "POST", "/rollbacks", request);
  story.say(`POST /rollbacks/rollbacks → ${alone.status} ${alone.body.code}\n${alone.body.detail}`);
  story.expect("alone she is refused", [alone.status, alone.body.code], [409, "gate_failed"]);
  const own = await ask(world, "rollbacks", "POST", "/plans/approve", request);
  story.expect("and may not approve", [own.status, own.body.code], [403, "forbidden"]);
  const agreed = await ask(world, "rollbacks", "POST", "/plans/approve", { ...request, reason: "looked at it" }, omar);
  story.say(`POST /rollbacks/plans/approve → ${agreed.status}, ${agreed.body.actor}, ${agreed.body.rows} rows seen`);
  story.expect("a second person agrees to this plan", [agreed.status, agreed.body.blocking], [200, []]);
}

/** The archive as the store has it, beside what the database held. */
export async function lookAtArchive(story: Story, world: World, archiveId: string, before: Picture): Promise<void> {
  const store = openStore(world.store, world.s3);
  const objects: StoredObject[] = [];
  for await (const object of store.list(`archives/${archiveId}/`)) objects.push(object);
  for (const object of objects) story.say(`${byteText(object.size).padStart(10)}  ${object.key}`);
  const manifest = await readManifest(store, archiveId);
  const stored = objects.map(({ key, size }) => [key.split("/").at(-1)!, size] as [string, number]);
  const records = [...incidentFiles, manifestFile, receiptFile] as string[];
  story.expect(
    "manifest, receipt and incident report stand beside the rows",
    stored.map(([file]) => file).filter((file) => records.includes(file)),
    records.toSorted(),
  );
  story.expect(
    "the store holds the objects that the manifest names, at their sizes",
    stored.filter(([file]) => !records.includes(file)),
    manifest.objects.map(({ file, bytes }) => [file, bytes] as [string, number]).sort((a, b) => (a[0] < b[0] ? -1 : 1)),
  );
  for (const table of manifest.tables) {
    story.expect(
      `manifest: ${table.schema}.${table.table}, ${number(table.rows)} rows, ${byteText(table.rawBytes)} of COPY text`,
      table.rows,
      before[table.table]?.rows,
    );
  }
  story.expect(
    "the manifest says whose rollback it is",
    [manifest.purpose, manifest.migration],
    ["rollback", destructive],
  );
  const listed = await listArchives(store);
  story.expect(
    "one archive is listed",
    listed.map(({ id }) => id),
    [archiveId],
  );
}

/** Undo over HTTP, and every table as it was. */
export async function undo(story: Story, world: World, rollbackId: string, before: Picture): Promise<void> {
  const undone = await ask(world, "rollbacks", "POST", `/rollbacks/${rollbackId}/undo`, {
    reason: "the points were right",
  });
  if (undone.status !== 200) story.say(JSON.stringify(undone.body, null, 2));
  story.say(`POST /rollbacks/rollbacks/${rollbackId}/undo → ${undone.status}, ${undone.body.outcome}`);
  story.expect("committed", [undone.status, undone.body.outcome], [200, "committed"]);
  const after = await photograph(world.sql);
  const points = after.loyalty_events;
  story.expect(
    `loyalty_events: ${number(points?.rows ?? 0)} rows, digest ${String(points?.digest).slice(-12)}, as before`,
    points,
    before.loyalty_events,
  );
  story.expect(`rows and digests of all ${Object.keys(before).length} tables and sequences as before`, after, before);
  const [state] = await world.sql`
    select (select status from belay.migration_history where migration_name = ${destructive}) as status,
      exists (select from supabase_migrations.schema_migrations where version = ${destructive.slice(0, 14)}) as tracked`;
  story.expect("ledger and tracking table say applied", { ...state! }, { status: "applied", tracked: true });
}
