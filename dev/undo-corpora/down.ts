import type { Belay } from "../../shared/context.ts";
import { isBelayError } from "../../shared/errors.ts";
import type { Migration, MigrationFolder } from "../../shared/migrations/types.ts";
import { blockedError } from "../../shared/rollback/execute/blocked.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import { bareLevel, type Chain } from "./chain.ts";
import { withSession } from "./databases.ts";
import { nothingSeeded, seedEmpty, takeOut } from "./seed.ts";
import { countRows, type LevelState, readState } from "./state.ts";
import type { Down, Level, Segment, WalkOptions } from "./types.ts";

/** Migrations that may go as one set when the newest alone would take what an older one made. */
const largestSet = 6;

/**
 * Rolls back from the top, newest first, down to `from`. What is refused alone is tried as a set with the next older
 * ones, then in a database in which nothing was left out above it, or that has no generated rows: where one of these
 * takes it, a new segment begins. Else the migration is left in, with its row of the ledger set by hand.
 */
export async function walkDown(
  chain: Chain,
  folder: MigrationFolder,
  from: number,
  options: WalkOptions,
): Promise<Segment[]> {
  const { databases } = chain;
  const segments: Segment[] = [];
  let levels: Level[] = [];
  let place = await placeAt(chain, "top");
  for (let index = folder.migrations.length - 1; index >= from; ) {
    const walk = { chain, folder, index, from };
    options.progress(`rolling back ${folder.migrations[index]!.name}`);
    const careful = levels.some(({ report }) => report === null);
    let level = await stepDown(walk, place, options, careful);
    if (level.report === null) {
      const again = await tryElsewhere(walk, level, careful, options);
      if (again === null) await leaveOut(chain, place.database, level.migrations[0]!);
      else {
        if (levels.length > 0) segments.push({ database: place.database, levels });
        else await databases.drop(place.database);
        levels = [];
        level = again.level;
        place = again.place;
      }
    }
    levels.push(level);
    for (const _ of level.migrations) await databases.drop(bareLevel(index--));
    place = await placeAt(chain, place.database);
  }
  segments.push({ database: place.database, levels });
  return segments;
}

/** Where the walk stands: the newest migration that is still applied. */
interface Walk {
  readonly chain: Chain;
  readonly folder: MigrationFolder;
  readonly index: number;
  readonly from: number;
}

interface Place {
  readonly database: string;
  readonly state: LevelState;
}

async function placeAt({ databases }: Chain, database: string): Promise<Place> {
  return { database, state: await withSession(databases.urlOf(database), readState) };
}

let copies = 0;

/** The first database in which the migration can be rolled back; null when there is none. */
async function tryElsewhere(
  walk: Walk,
  { down }: Level,
  leftOut: boolean,
  options: WalkOptions,
): Promise<{ level: Level; place: Place } | null> {
  const { chain, index } = walk;
  const { why } = down.refusal!;
  const ways: WalkOptions[] = [];
  if (why !== missing && leftOut) ways.push(options);
  if (why === "sql_failed") ways.push({ ...options, rows: 0 });
  for (const way of ways) {
    const database = `again_${copies++}`;
    await chain.databases.copy(bareLevel(index), database);
    const place = await placeAt(chain, database);
    const level = await stepDown(walk, place, way, true);
    if (level.report !== null) return { level, place };
    await chain.databases.drop(database);
  }
  return null;
}

const missing = "gate rollback_sql";

/** Rolls back the newest, or the smallest set of the newest that can go. `careful`: plans before a copy is made. */
async function stepDown(walk: Walk, place: Place, options: WalkOptions, careful: boolean): Promise<Level> {
  const { chain, folder, index } = walk;
  const alone = [folder.migrations[index]!];
  if (careful || alone[0]!.rollback === null) {
    const refusal = await refusalBefore(chain, folder, place.database, alone);
    if (refusal === null) return await rollBack(walk, place, alone, options);
    return (await rollBackSet(walk, place, refusal, options)) ?? refused(alone, place, refusal);
  }
  const level = await rollBack(walk, place, alone, options);
  if (level.report !== null) return level;
  return (await rollBackSet(walk, place, level.down.refusal!, options)) ?? level;
}

async function rollBackSet(walk: Walk, place: Place, { why }: Refusal, options: WalkOptions): Promise<Level | null> {
  if (!/provenance|dependents|supported/.test(why)) return null;
  const { chain, folder, index, from } = walk;
  for (let size = 2; size <= largestSet && index - size + 1 >= from; size++) {
    const set = folder.migrations.slice(index - size + 1, index + 1).reverse();
    if (set.at(-1)!.rollback === null) return null;
    if ((await refusalBefore(chain, folder, place.database, set)) !== null) continue;
    const level = await rollBack(walk, place, set, options);
    if (level.report !== null) return level;
  }
  return null;
}

type Refusal = NonNullable<Down["refusal"]>;

function requestOf(belay: Belay, folder: MigrationFolder, migrations: readonly Migration[]) {
  const names = migrations.map(({ name }) => name);
  return { migrations: names, reason: "corpora", folder, waive: belay.settings.policy.waivers.gates };
}

/** What the plan alone says against it. */
async function refusalBefore(
  chain: Chain,
  folder: MigrationFolder,
  database: string,
  migrations: readonly Migration[],
): Promise<Refusal | null> {
  const belay = chain.belay(database);
  try {
    const plan = await planRollback(belay, requestOf(belay, folder, migrations));
    return plan.canRollBack ? null : asRefusal(blockedError(migrations[0]!.name, plan));
  } catch (error) {
    return asRefusal(error);
  }
}

function refused(migrations: readonly Migration[], { state }: Place, refusal: Refusal): Level {
  const down: Down = {
    refusal,
    endStateDiffers: false,
    rowsArchived: 0,
    rows: countRows(state.rows),
    unseeded: [],
    seconds: 0,
  };
  return { migrations, before: state, report: null, seeded: nothingSeeded, copy: null, down };
}

async function rollBack(
  { chain, folder }: Walk,
  { database, state }: Place,
  migrations: readonly Migration[],
  options: WalkOptions,
): Promise<Level> {
  const url = chain.databases.urlOf(database);
  const { seeded, before } = await withSession(url, async (session) => {
    const done = await seedEmpty(session, state, options.rows, options.seed);
    return { seeded: done, before: done.tables.length > 0 ? await readState(session) : state };
  });
  const copy = `copy_${copies++}`;
  await chain.databases.copy(database, copy);
  const started = performance.now();
  const belay = chain.belay(database);
  const done = await executeRollback(belay, requestOf(belay, folder, migrations)).catch(asRefusal);
  const seconds = (performance.now() - started) / 1000;
  if (!("rollbackId" in done)) {
    await withSession(url, (session) => takeOut(session, seeded));
    await chain.databases.drop(copy);
    return refused(migrations, { database, state }, done);
  }
  const down: Down = {
    refusal: null,
    endStateDiffers: done.endState === "waived",
    rowsArchived: rowsArchived(done),
    rows: countRows(before.rows),
    unseeded: seeded.unseeded,
    seconds,
  };
  return { migrations, before, report: done, seeded, copy, down };
}

function rowsArchived({ tables, columns }: RollbackReport): number {
  return [...tables, ...columns].reduce((sum, { rows }) => sum + rows, 0);
}

/** What Belay says is the outcome; anything else is a fault of this program. */
function asRefusal(error: unknown): Refusal {
  if (!isBelayError(error)) throw error;
  const gates = (error.details.gates as readonly { name: string }[] | undefined) ?? [];
  const why = error.code === "gate_failed" ? `gate ${gates.map(({ name }) => name).join(" and ")}` : error.code;
  return { why, message: error.message };
}

async function leaveOut(chain: Chain, database: string, { name, version }: Migration): Promise<void> {
  await withSession(chain.databases.urlOf(database), async (session) => {
    await session.sql`update belay.migration_history set status = 'rolled_back' where migration_name = ${name}`;
    await session.sql`delete from tool.schema_migrations where version = ${version}`;
  });
}
