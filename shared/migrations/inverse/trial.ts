import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Catalog } from "../../catalog/types.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type CatalogGap, compareStates, noGap } from "./gap.ts";
import { type Identities, type Lineage, lostSurvivors, readIdentities, renamedStrays } from "./identities.ts";

/** The states that a proposal is judged by, all of the database in which it is tried. */
export interface States {
  readonly wanted: Catalog;
  readonly before: Lineage;
  readonly after: Identities;
  /** The role that runs the SQL. */
  readonly role: string;
}

/** What came of one way back, tried. */
export interface Trial {
  readonly statements: readonly string[];
  readonly gap: CatalogGap;
  /** What was there before and would be dropped, whatever stands in its place after. */
  readonly lost: readonly string[];
  readonly strays: readonly string[];
  /** Why it was not tried to its end; null when it was. */
  readonly error: string | null;
}

/** Runs and records the statements of a way back. */
export interface Steps {
  run(statements: readonly string[]): Promise<void>;
  read(): Promise<Catalog>;
  identities(): Promise<Identities>;
}

/** Tries a way back in a transaction that is rolled back. */
export async function tryWay(session: Session, states: States, way: (steps: Steps) => Promise<void>): Promise<Trial> {
  const statements: string[] = [];
  const steps: Steps = {
    run: async (more) => {
      for (const statement of more) {
        if (await isGone(session, statement)) continue;
        await session.run(statement);
        statements.push(statement);
      }
    },
    read: () => readSnapshotCatalog(session),
    identities: () => readIdentities(session),
  };
  await session.run("begin");
  try {
    await way(steps);
    await session.run("set constraints all immediate");
    const gap = compareStates(states.wanted, await steps.read());
    const proposed = await readIdentities(session);
    return {
      statements,
      gap,
      lost: lostSurvivors(states.before, states.after, proposed),
      strays: renamedStrays(states.before, states.after, proposed),
      error: null,
    };
  } catch (error) {
    const { message } = databaseError(error);
    return { statements, gap: noGap, lost: [], strays: [], error: message };
  } finally {
    await session.run("rollback");
  }
}

/** A sequence that went with the column that owned it needs no statement of its own. */
async function isGone(session: Session, statement: string): Promise<boolean> {
  const [, name] = /^DROP SEQUENCE IF EXISTS (.*)$/s.exec(statement) ?? [];
  if (name === undefined) return false;
  const [row] = await session.sql`select to_regclass(${name}) is null as gone`;
  return row!.gone === true;
}

/** Whether no other way needs to be tried: nothing is lost, and all is as wanted, but perhaps for columns' order, which none can give back. */
export function isEnough({ statements, gap, lost, strays, error }: Trial): boolean {
  const faults = gap.differences.length + lost.length + strays.length;
  return error === null && faults === 0 && statements.length > 0;
}

/** Orders trials from the best: what loses nothing, then what ends nearest to the wanted state. */
export function rank({ gap, lost, strays, error, statements }: Trial): number {
  const faults = lost.length * 10_000 + gap.differences.length * 100 + strays.length * 10 + gap.columnOrder.length;
  return (error === null && statements.length > 0 ? 0 : 10_000_000) + faults;
}
