import { isBelayError } from "../../shared/errors.ts";
import type { Migration, MigrationFolder } from "../../shared/migrations/types.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import { bareLevel, type Chain } from "./chain.ts";
import { withSession } from "./databases.ts";
import { seedEmpty, takeOut } from "./seed.ts";
import { countRows, type LevelState, readState } from "./state.ts";
import type { Down, Level, Segment, WalkOptions } from "./types.ts";

/**
 * Rolls back from the top, newest first, down to `from`. What is refused is tried again in databases of their own: one
 * in which nothing was left out above it, and one without generated rows. When one of them takes it, a new segment
 * begins there; else the migration is left in, with its row of the ledger set by hand.
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
  for (let index = folder.migrations.length - 1; index >= from; index--) {
    const migration = folder.migrations[index]!;
    options.progress(`rolling back ${migration.name}`);
    let level = await stepDown(chain, folder, migration, place, options);
    const again = level.report === null ? await tryElsewhere(chain, folder, index, { level, levels }, options) : null;
    if (again !== null) {
      await databases.drop(place.database);
      await withSession(databases.urlOf(level.copy), (session) => takeOut(session, level.seeded));
      if (levels.length > 0) segments.push({ database: level.copy, levels });
      else await databases.drop(level.copy);
      levels = [];
      level = again.level;
    } else if (level.report === null) await leaveOut(chain, place.database, migration);
    levels.push(level);
    await databases.drop(bareLevel(index));
    place = await placeAt(chain, again?.database ?? place.database);
  }
  if (levels.length > 0) segments.push({ database: place.database, levels });
  return segments;
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
  chain: Chain,
  folder: MigrationFolder,
  index: number,
  refused: { readonly level: Level; readonly levels: readonly Level[] },
  options: WalkOptions,
): Promise<{ level: Level; database: string } | null> {
  const { why } = refused.level.down.refusal!;
  const ways: WalkOptions[] = [];
  if (refused.levels.some(({ report }) => report === null)) ways.push(options);
  if (why === "sql_failed") ways.push({ ...options, rows: 0 });
  if (why === "gate rollback_sql") return null;
  for (const way of ways) {
    const database = `again_${copies++}`;
    await chain.databases.copy(bareLevel(index), database);
    const level = await stepDown(chain, folder, folder.migrations[index]!, await placeAt(chain, database), way);
    if (level.report !== null) return { level, database };
    await chain.databases.drop(level.copy);
    await chain.databases.drop(database);
  }
  return null;
}

async function stepDown(
  chain: Chain,
  folder: MigrationFolder,
  migration: Migration,
  { database, state }: Place,
  options: WalkOptions,
): Promise<Level> {
  const { seeded, before } = await withSession(chain.databases.urlOf(database), async (session) => {
    const done = await seedEmpty(session, state.rows, options.rows, options.seed);
    return { seeded: done, before: done.tables.length > 0 ? await readState(session) : state };
  });
  const copy = `copy_${copies++}`;
  await chain.databases.copy(database, copy);
  const started = performance.now();
  const belay = chain.belay(database);
  const request = { migration: migration.name, reason: "corpora", folder, waive: belay.settings.policy.waivers.gates };
  const done = await executeRollback(belay, request).catch(refusalOf);
  const report = "rollbackId" in done ? done : null;
  const down: Down = {
    refusal: "rollbackId" in done ? null : done,
    endStateDiffers: report?.endState === "waived",
    rowsArchived: report === null ? 0 : rowsArchived(report),
    rows: countRows(before.rows),
    unseeded: seeded.unseeded,
    seconds: (performance.now() - started) / 1000,
  };
  return { migration, before, report, seeded, copy, down };
}

function rowsArchived({ tables, columns }: RollbackReport): number {
  return [...tables, ...columns].reduce((sum, { rows }) => sum + rows, 0);
}

/** What Belay says is the outcome; anything else is a fault of this program. */
function refusalOf(error: unknown): { why: string; message: string } {
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
