import { parseArgs } from "node:util";
import { isLeaving, stopAll } from "../../servers/cleanup.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { applyMigrations } from "./chapters/apply.ts";
import { drillArchive } from "./chapters/drill.ts";
import { failUpload } from "./chapters/fault.ts";
import { checkDependents, dryRun, syncAndList } from "./chapters/look.ts";
import { cronTick, failedDeployment } from "./chapters/machines.ts";
import { lookAtArchive, type RolledBack, rollBackOverHttp, undo } from "./chapters/roll-back.ts";
import { printPlaces } from "./keep.ts";
import type { Picture } from "./measure.ts";
import { NotAsPromised, Story } from "./story.ts";
import { startWorld, type World } from "./world.ts";

const { values } = parseArgs({ options: { keep: { type: "boolean" }, postgres: { type: "string", default: "17" } } });

async function tell(story: Story): Promise<World> {
  let world!: World;
  let before!: Picture;
  let rolledBack!: RolledBack;
  await story.chapter("Servers: PostgreSQL twice, S3, three functions under Deno", async () => {
    world = await startWorld(Number(values.postgres) as Major);
    const [row] = await world.sql`select current_setting('server_version') as version`;
    story.say(`PostgreSQL ${row!.version}, store ${world.store.split("?")[0]} at ${world.s3.endpoint}`);
  });
  await story.chapter("The example's migrations are applied", async () => {
    before = await applyMigrations(story, world);
  });
  await story.chapter("Belay learns what is applied", () => syncAndList(story, world));
  await story.chapter("A migration that others need is refused", () => checkDependents(story, world));
  await story.chapter("What a rollback would destroy", () => dryRun(story, world));
  await story.chapter("It is rolled back, over HTTP, under Deno", async () => {
    rolledBack = await rollBackOverHttp(story, world, before);
  });
  await story.chapter("What was destroyed is in the store", () =>
    lookAtArchive(story, world, rolledBack.archiveId, before),
  );
  await story.chapter("Undo: everything as before", () => undo(story, world, rolledBack.rollbackId, before));
  await story.chapter("The archive is drilled", () => drillArchive(story, world, rolledBack.archiveId));
  await story.chapter("The same rollback while the store fails", () => failUpload(story, world));
  await story.chapter("A deployment fails", () => failedDeployment(story, world));
  await story.chapter("The clock ticks", () => cronTick(story, world));
  return world;
}

const story = new Story();
try {
  const world = await tell(story);
  story.report();
  if (values.keep) {
    await printPlaces(world);
    await new Promise(() => {});
  }
} catch (error) {
  if (isLeaving()) await new Promise(() => {});
  if (!(error instanceof NotAsPromised)) console.error(error);
  console.error("\nThe demo did not go as promised.");
  process.exitCode = 1;
}
await stopAll();
process.exit();
