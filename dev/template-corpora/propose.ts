import { readSnapshotCatalog } from "../../shared/catalog/snapshots.ts";
import { proposeInverse } from "../../shared/migrations/inverse/propose.ts";
import { runForward } from "../../shared/migrations/sync/run-forward.ts";
import { openSession } from "../../shared/postgres/session.ts";
import type { Published } from "./corpus.ts";
import { type Databases, openDatabases } from "./databases.ts";
import { dumpSchema } from "./stock.ts";

/** What came of proposing a rollback for one migration. */
export interface Outcome {
  readonly migration: string;
  readonly state: "proved" | "column_order" | "differs" | "none" | "nothing_to_do" | "up_fails";
  /** Differences of the best proposal, or why there is none. */
  readonly reasons: readonly string[];
  readonly sql: string;
  /** What stock pg_dump says of the applied proposal; null where it was not asked. */
  readonly stock: "equal" | "differs" | "fails" | null;
  readonly ms: number;
}

export interface ProposeOptions {
  readonly server: string;
  /** Prefix of the databases that are made, and dropped at the end. */
  readonly prefix: string;
  /** Folder of stock pg_dump, to judge by it too; null: Belay's own entries alone. */
  readonly programs: string | null;
  /** Which migrations; the ones before them are applied all the same. */
  readonly wanted: (migration: Published) => boolean;
  report(outcome: Outcome): void;
}

/** Applies a corpus in order, and proposes a rollback for each wanted migration on copies of the state before it. */
export async function proposeForCorpus(migrations: readonly Published[], options: ProposeOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const databases = await openDatabases(options.server, options.prefix);
  const last = migrations.findLastIndex(options.wanted);
  try {
    for (const migration of migrations.slice(0, last + 1)) {
      if (options.wanted(migration)) {
        const outcome = await proposeOne(migration, databases, options.programs);
        outcomes.push(outcome);
        options.report(outcome);
      }
      await databases.onBefore((session) => apply(session, migration)).catch(() => {});
    }
    return outcomes;
  } finally {
    await databases.close();
  }
}

async function proposeOne(migration: Published, databases: Databases, programs: string | null): Promise<Outcome> {
  const base = { migration: migration.name, sql: "", stock: null, ms: 0 };
  const url = await databases.copyBefore();
  const session = await openSession(url, { applicationName: "belay corpora" });
  try {
    const wanted = await readSnapshotCatalog(session);
    try {
      await apply(session, migration);
    } catch (error) {
      return { ...base, state: "up_fails", reasons: [(error as Error).message] };
    }
    const start = performance.now();
    const proposal = await proposeInverse({ beforeUrl: databases.beforeUrl, after: { url, session }, wanted });
    const ms = performance.now() - start;
    const { sql, refusal, proved, columnOrderOnly, differences, statements } = proposal;
    if (refusal !== null) return { ...base, ms, state: "none", reasons: [refusal] };
    if (statements.length === 0) return { ...base, ms, state: "nothing_to_do", reasons: [] };
    const state = proved ? "proved" : columnOrderOnly ? "column_order" : "differs";
    const stock = programs === null ? null : await judge(session, sql, url, databases.beforeUrl, programs);
    return { ...base, ms, sql, state, reasons: differences, stock };
  } finally {
    await session.close();
    await databases.dropCopy();
  }
}

async function judge(
  session: Awaited<ReturnType<typeof openSession>>,
  sql: string,
  url: string,
  beforeUrl: string,
  programs: string,
): Promise<Outcome["stock"]> {
  try {
    await session.run(`begin; ${sql}\n commit;`);
  } catch {
    return "fails";
  }
  const [got, wanted] = [await dumpSchema(programs, url), await dumpSchema(programs, beforeUrl)];
  return got === wanted ? "equal" : "differs";
}

async function apply(session: Awaited<ReturnType<typeof openSession>>, { name, up, mode }: Published): Promise<void> {
  const forwardSql = mode === "tx" && up.trim() !== "" ? `begin;\n${up}\n;commit;` : up;
  await runForward(session, { name, file: `${name}.up.sql`, forwardSql });
}
