import { belay } from "../ask.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

/** Restores the archive into a scratch database on another server; verdict on record, scratch database gone. */
export async function drillArchive(story: Story, world: World, archiveId: string): Promise<void> {
  const { code, output } = await belay(world, "drill", archiveId);
  story.say(`$ belay drill ${archiveId}\n${output}`);
  story.expect("passed, exit code 0", code, 0);
  await expectRecorded(story, world, archiveId);
}

/** The newest finished drill of that archive, and that nothing of it is left. */
export async function expectRecorded(story: Story, world: World, archiveId: string): Promise<void> {
  const [drill] = await world.sql`
    select verdict, scratch_database, (select count(*)::int from belay.drill_checks c where c.drill_id = d.id) as checks
    from belay.drills d where archive_id = ${archiveId} order by started_at desc limit 1`;
  story.expect(
    `verdict pass on record, with ${drill!.checks} checks`,
    [drill!.verdict, drill!.checks > 0],
    ["pass", true],
  );
  const left = await world.scratchSql`select datname from pg_database where datname = ${drill!.scratch_database}`;
  story.expect(`the scratch database ${drill!.scratch_database} is gone`, left.length, 0);
}
