import { isBelayError } from "../../shared/errors.ts";
import type { Migration } from "../../shared/migrations/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import type { Chain } from "./chain.ts";
import { withSession } from "./databases.ts";
import { takeOut } from "./seed.ts";
import { compareStates, readRefreshed, readState } from "./state.ts";
import type { Level, Segment, Up, Walked, WalkOptions } from "./types.ts";

export interface WalkedUp {
  /** Newest first. */
  readonly walked: readonly Walked[];
  /** How many rollbacks were undone one after another before something broke. */
  readonly chains: readonly number[];
}

/**
 * Undoes a segment's rollbacks, oldest migration first; at each level the database must be what it was on the way down.
 * Where it is not, the copy of that level is taken, so that the levels above are looked at too.
 */
export async function walkUp(chain: Chain, segment: Segment, options: WalkOptions): Promise<WalkedUp> {
  const walked: Walked[] = [];
  const chains = [0];
  let { database } = segment;
  for (const level of segment.levels.toReversed()) {
    const migrations = level.migrations.map(({ name }) => name);
    options.progress(`undoing ${migrations[0]}`);
    const up = level.report === null ? await putIn(chain, database, level) : await stepUp(chain, database, level);
    walked.unshift({ migrations, down: level.down, up });
    options.onUp?.(walked[0]!);
    if (up !== null && level.copy !== null && (up.outcome === "failed" || up.outcome === "differs")) {
      await chain.databases.drop(database);
      database = level.copy;
      chains.push(0);
    } else {
      if (up !== null) chains.push(chains.pop()! + 1);
      if (level.copy !== null) await chain.databases.drop(level.copy);
    }
    await withSession(chain.databases.urlOf(database), (session) => takeOut(session, level.seeded));
  }
  await chain.databases.drop(database);
  return { walked, chains };
}

async function stepUp(chain: Chain, database: string, { report, before, copy }: Level): Promise<Up> {
  const started = performance.now();
  const request = { rollbackId: report!.rollbackId, reason: "corpora" };
  const undone = await undoRollback(chain.belay(database), request).catch((error: unknown) => {
    if (isBelayError(error)) return error;
    throw error;
  });
  const seconds = (performance.now() - started) / 1000;
  if (isBelayError(undone))
    return { outcome: "failed", wrong: [`${undone.code}: ${undone.message}`], way: null, seconds };
  const now = await withSession(chain.databases.urlOf(database), readState);
  const { wrong: others, otherOrder, views } = compareStates(before, now);
  const refreshed = views.length > 0 ? await withSession(chain.databases.urlOf(copy!), readRefreshed) : new Map();
  const lost = views.filter((name) => now.views.get(name) !== refreshed.get(name));
  const wrong = [
    ...others,
    ...lost.map((name) => `materialised view ${name} holds what its query did not give before`),
  ];
  const fine = views.length > 0 ? "stale views" : otherOrder.length > 0 ? "column order" : "equal";
  const outcome = wrong.length > 0 ? "differs" : fine;
  return { outcome, wrong, way: undone.notes[0] ?? null, seconds };
}

/** A migration that was left out by hand comes back by hand: its objects never left. */
async function putIn(chain: Chain, database: string, { migrations, before }: Level): Promise<null> {
  const [migration] = migrations as [Migration];
  await withSession(chain.databases.urlOf(database), async (session) => {
    const status = before.ledger.get(migration.name)!;
    await session.sql`update belay.migration_history set status = ${status} where migration_name = ${migration.name}`;
    await session.sql`insert into tool.schema_migrations values (${migration.version})`;
  });
  return null;
}
