import { belay } from "../ask.ts";
import { byteText, number, type Story } from "../story.ts";
import type { World } from "../world.ts";

export const destructive = "20250318150000_create_loyalty_programme";
const needed = "20250130110000_create_order_lines";
const dependents = ["20250311090000_create_reporting", "20250429090000_help_the_planner_with_orders"];

/** `sync` and `list`: the ledger knows what is applied, with rollback SQL and snapshots. */
export async function syncAndList(story: Story, world: World): Promise<void> {
  const synced = await belay(world, "sync");
  story.sayEnds(`$ belay sync\n${synced.output}`, 3, 6);
  story.expect("belay sync ended with exit code 0", synced.code, 0);
  const listed = await belay(world, "list");
  story.say(`$ belay list\n${listed.output}`);
  story.expect("belay list ended with exit code 0", listed.code, 0);
  const [ledger] = await world.sql`
    select count(*)::int as migrations, count(rollback_sql)::int as with_rollback,
      (select count(*)::int from belay.snapshots) as snapshots
    from belay.migration_history where status = 'applied'`;
  const [tracked] = await world.sql`select count(*)::int as migrations from supabase_migrations.schema_migrations`;
  story.expect(`${ledger!.migrations} migrations in the ledger`, ledger!.migrations, tracked!.migrations);
  story.expect("each has its rollback SQL stored", ledger!.with_rollback, ledger!.migrations);
  story.expect(`${ledger!.snapshots} snapshots of before and after`, ledger!.snapshots > ledger!.migrations, true);
}

/** `check` of a migration on which later ones build. */
export async function checkDependents(story: Story, world: World): Promise<void> {
  const { code, output } = await belay(world, "check", needed);
  story.say(`$ belay check ${needed}\n${output}`);
  story.expect("refused, exit code 3", code, 3);
  for (const dependent of dependents) story.expect(`names ${dependent}`, output.includes(dependent), true);
}

/** Dry run of the rollback that loses most. */
export async function dryRun(story: Story, world: World): Promise<void> {
  const [before] = await world.sql`
    select count(*)::int as rows, pg_total_relation_size('public.loyalty_events')::int as bytes
    from public.loyalty_events`;
  const { code, output } = await belay(world, "rollback", destructive, "--dry-run", "--reason", "a look first");
  story.say(`$ belay rollback ${destructive} --dry-run\n${output}`);
  story.expect("waits for a second person alone, exit code 3", code, 3);
  story.expect("says how to have one", output.includes("belay approve"), true);
  const { output: json } = await belay(world, "rollback", destructive, "--dry-run", "--reason", "a look", "--json");
  const plan = JSON.parse(json);
  const lost = plan.effect.tables.find((one: { table: string }) => one.table === "loyalty_events");
  story.expect(
    `the plan names ${number(lost.rows)} rows (${byteText(lost.bytes)}), as the table holds`,
    [lost.rows, lost.bytes],
    [before!.rows, before!.bytes],
  );
  story.expect("risk HIGH", plan.risk, "HIGH");
  const blocking = plan.gates.filter((gate: { blocking: boolean }) => gate.blocking);
  story.expect(
    "no other gate is in the way",
    blocking.map((gate: { name: string }) => gate.name),
    ["approved"],
  );
  const [after] = await world.sql`select count(*)::int as rows from public.loyalty_events`;
  story.expect("a dry run changed nothing", after!.rows, before!.rows);
}
