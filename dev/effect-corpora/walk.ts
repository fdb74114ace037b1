import { isBelayError } from "../../shared/errors.ts";
import { installBelay } from "../../shared/install.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { runForward } from "../../shared/migrations/sync/run-forward.ts";
import type { Migration } from "../../shared/migrations/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { isBlankSql } from "../../shared/sql/blank.ts";
import { prepareRollbackSql } from "../../shared/sql/prepare.ts";
import { tellAndLose } from "./rows.ts";
import { type ToldAndDone, tellAndDo, toldKeys } from "./told-and-done.ts";

/**
 * `equal`: all that was told happened, and nothing else. `opaque`: the plan said before that the text cannot tell.
 * `fails`: the rollback does not run. `refused`: Belay does not run it. `empty`: there is none. `wrong`: none of these.
 */
export type Outcome = "equal" | "opaque" | "fails" | "refused" | "empty" | "wrong";

export interface Told {
  readonly migration: string;
  readonly outcome: Outcome;
  /** Where what was told is not what happened; of an opaque one too, for information. */
  readonly wrong: readonly string[];
  /** Objects that really changed, so that something was compared. */
  readonly objects: number;
  /** Whether rows were compared: the rollback ran over generated rows. */
  readonly overRows: boolean;
  /** Why the rollback did not run over rows. */
  readonly rowsError: string | null;
  readonly rowsGone: number;
}

export interface WalkOptions {
  /** Tells only each n-th rollback. */
  readonly every: number;
  /** Stops after that many migrations. */
  readonly most?: number;
  readonly onTold: (told: Told) => void;
}

/** Applies a folder's migrations to an empty database one by one; tells and does the rollback of those asked for. */
export async function walkFolder(url: string, folder: string, { every, most, onTold }: WalkOptions): Promise<void> {
  const { migrations } = await readMigrationFolder(folder);
  // Counting what was written since reads Belay's own tables.
  await withSession(url, installBelay);
  for (const [position, migration] of migrations.slice(0, most).entries()) {
    const session = await openSession(url);
    try {
      await runForward(session, migration);
      if (position % every === 0) onTold(await tellOne(url, migration));
    } finally {
      await session.close();
    }
  }
}

async function tellOne(url: string, migration: Migration): Promise<Told> {
  const sql = migration.rollback?.sql ?? "";
  const nothing = { migration: migration.name, wrong: [], objects: 0, overRows: false, rowsError: null, rowsGone: 0 };
  if (isBlankSql(sql)) return { ...nothing, outcome: "empty" };
  const refused = refusalOf(sql, migration.file);
  if (refused !== null) return { ...nothing, outcome: refused };
  const objects = await withSession(url, (session) => tellAndDo(session, sql));
  if (objects.error !== null) return { ...nothing, outcome: "fails" };
  const rows = await withSession(url, (session) => tellAndLose(session, sql));
  const wrong = [...objectsThatDiffer(objects), ...(rows.error === null ? rows.wrong : [])];
  const { opaque } = objects.told;
  return {
    migration: migration.name,
    outcome: wrong.length === 0 && opaque.length === 0 ? "equal" : opaque.length > 0 ? "opaque" : "wrong",
    wrong,
    objects: objects.destroyed.length + objects.changed.length + objects.created.length,
    overRows: rows.error === null,
    rowsError: rows.error,
    rowsGone: rows.gone,
  };
}

/** SQL that does not parse is told to fail. */
function refusalOf(sql: string, file: string): Outcome | null {
  try {
    return prepareRollbackSql(sql, { file, line: 1 }).refusals.length > 0 ? "refused" : null;
  } catch (error) {
    if (isBelayError(error, "sql_syntax")) return "fails";
    throw error;
  }
}

/** Told changes may be more: what is dropped and made again alike is told as changed. */
function objectsThatDiffer({ told, destroyed, changed, created, locks }: ToldAndDone): string[] {
  const saidChanged = new Set(toldKeys(told, "changed"));
  const saidLocks = new Map(told.locks.map(({ oid, mode }) => [String(oid), mode as string]));
  return [
    ...told.failures.map(({ why }) => `told to fail: ${why}`),
    ...difference("destroyed", toldKeys(told, "destroyed"), destroyed),
    ...difference("created", toldKeys(told, "created"), created),
    ...changed.filter((key) => !saidChanged.has(key)).map((key) => `changed, and not told: ${key}`),
    ...Object.entries(locks).flatMap(([oid, mode]) =>
      saidLocks.get(oid) === mode ? [] : [`lock of ${oid}: told ${saidLocks.get(oid) ?? "none"}, was ${mode}`],
    ),
  ];
}

function difference(what: string, told: readonly string[], done: readonly string[]): string[] {
  return [
    ...done.filter((key) => !told.includes(key)).map((key) => `${what}, and not told: ${key}`),
    ...told.filter((key) => !done.includes(key)).map((key) => `told to be ${what}, and was not: ${key}`),
  ];
}

async function withSession<T>(url: string, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(url);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
