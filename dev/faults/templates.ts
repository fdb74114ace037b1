import { installBelay } from "../../shared/install.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { migrationOf } from "../migration-of.ts";
import { startCommand } from "./command.ts";
import type { StoreRequest } from "./proxy/store.ts";
import type { Statement } from "./proxy/wire.ts";
import type { Scenario } from "./scenarios.ts";
import { onSession, type Records, readRecords, readState, type State } from "./state.ts";
import type { World } from "./world.ts";

export type Action = "rollback" | "undo";

/** What an action does when nothing is broken, and all moments at which it can be broken. */
export interface Course {
  readonly action: Action;
  /** Words of the command line. */
  readonly words: readonly string[];
  /** Database to clone and prefix to copy. */
  readonly template: string;
  readonly before: { readonly state: State; readonly records: Records };
  /** null: the action always fails. */
  readonly after: { readonly state: State; readonly records: Records } | null;
  readonly statements: readonly Statement[];
  readonly requests: readonly StoreRequest[];
  readonly ms: number;
}

const usualMs = 2_500;

/** How much slower than an idle machine this one is, by the action without a fault: a busy one is no fault. */
export function slownessOf({ ms }: Pick<Course, "ms">): number {
  return Math.max(1, ms / usualMs);
}

export interface Template {
  readonly scenario: Scenario;
  readonly courses: readonly Course[];
}

/** Makes a scenario's databases, and runs its actions once without a fault; throws when they do not do what they should. */
export async function prepare(world: World, scenario: Scenario, id: number): Promise<Template> {
  const applied = `applied_${id}`;
  const gone = `gone_${id}`;
  await world.run(`create database ${applied}`);
  const bare = await onSession(world.url(applied), async (session) => {
    await session.run(scenario.base);
    await installBelay(session);
    const state = await readState(session);
    for (const step of scenario.steps) {
      await session.run(step.up);
      const migration = migrationOf(step);
      await session.sql`insert into supabase_migrations.schema_migrations values (${migration.version}, null, ${step.name})`;
      await insertMigration(session, migration, { actor: "faults", status: "applied" });
    }
    return state;
  });
  const names = scenario.steps.map(({ name }) => name).toReversed();
  const reason = ["--yes", "--reason", "to see it break"];
  const back = await walk(
    world,
    { action: "rollback", words: ["rollback", ...names, ...reason], template: applied },
    gone,
    scenario,
  );
  if (scenario.fails) return { scenario, courses: [back] };
  const rows = Object.keys(bare.tables).filter((table) => back.after!.state.tables[table] === undefined);
  if (rows.length > 0) throw new Error(`the rollback took ${rows.join(", ")}`);
  const undone = `undone_${id}`;
  const again = await walk(
    world,
    { action: "undo", words: ["undo", names[0]!, ...reason], template: gone },
    undone,
    scenario,
  );
  const lost = Object.entries(back.before.state.tables).filter(
    ([name, rows]) => again.after!.state.tables[name] !== rows,
  );
  if (lost.length > 0) throw new Error(`the undo did not bring back ${lost.map(([name]) => name).join(", ")}`);
  await world.run(`drop database ${undone} with (force)`);
  world.removeStore(undone);
  return { scenario, courses: [back, again] };
}

/** Drops a scenario's databases. */
export async function forget(world: World, { courses }: Template): Promise<void> {
  for (const { template } of courses) {
    await world.run(`drop database if exists ${template} with (force)`);
    world.removeStore(template);
  }
}

/** Clones the template to `into` and runs the action there without a fault. */
async function walk(
  world: World,
  course: Pick<Course, "action" | "words" | "template">,
  into: string,
  scenario: Scenario,
): Promise<Course> {
  const before = await readBoth(world, course.template);
  await world.run(`create database ${into} template ${course.template}`);
  if (course.action === "undo") world.copyStore(course.template, into);
  const statements: Statement[] = [];
  const requests: StoreRequest[] = [];
  world.wire.watch((statement, when) => void (when === "before" && statements.push(statement)));
  world.store.watch((request) => {
    requests.push(request);
    return null;
  });
  const { ended } = startCommand(course.words, {
    keys: world.credentials,
    database: world.brokenUrl(into),
    store: world.brokenStoreUrl(into),
    policy: world.policies.usual,
  });
  const { exitCode, output, ms } = await ended;
  world.wire.heal();
  world.store.heal();
  if ((exitCode === 0) === scenario.fails)
    throw new Error(`${course.action} without a fault exited ${exitCode}: ${output}`);
  const after = scenario.fails ? null : await readBoth(world, into);
  return { ...course, before, after, statements, requests, ms };
}

async function readBoth(world: World, database: string) {
  return onSession(world.url(database), async (session) => ({
    state: await readState(session),
    records: await readRecords(session),
  }));
}
