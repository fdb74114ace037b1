import { sqlState, sqlStateOf } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";
import { entryName, restoreError } from "../errors.ts";
import type { Step } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";
import { type DoneEntry, doneSql } from "./state.ts";

export type SqlStep = Extract<Step, { kind: "sql" }>;

const mostSteps = 100;
const mostAttempts = 5;
const mostCharacters = 256 * 1024;

/** Steps in order, cut into transactions of a bounded number of locks and bytes. */
export function inTransactions(steps: readonly SqlStep[]): SqlStep[][] {
  const batches: SqlStep[][] = [];
  let characters = 0;
  for (const step of steps) {
    const batch = batches.at(-1);
    characters += step.sql.length;
    if (batch === undefined || batch.length >= mostSteps || characters > mostCharacters) {
      batches.push([step]);
      characters = step.sql.length;
    } else batch.push(step);
  }
  return batches;
}

/**
 * Runs steps in one transaction and one query. When that fails they are run one by one, so that the error names its
 * entry and what is before it stays. Throws what restoreError makes of it.
 */
export async function runSteps(
  session: Session,
  steps: readonly SqlStep[],
  context: RestoreContext,
  attempt = 1,
): Promise<void> {
  const done: DoneEntry[] = steps.map(({ entry }) => ({ dumpId: entry.dumpId }));
  try {
    await session.run(["BEGIN;", ...steps.map(({ sql }) => `${sql}\n;`), doneSql(done), "COMMIT;"].join("\n"));
    finish(steps, context);
  } catch (error) {
    if (!session.alive) throw failure(steps, error, context);
    await session.run("ROLLBACK");
    if (steps.length > 1) {
      for (const step of steps) await runSteps(session, [step], context);
      return;
    }
    // An entry may lock more than the archive says; the server has ended the other side's wait.
    if (sqlStateOf(error) === sqlState.deadlockDetected && attempt < mostAttempts)
      return runSteps(session, steps, context, attempt + 1);
    const tolerated = toleratedAs(steps[0]!, error, context);
    if (tolerated === null) throw failure(steps, error, context);
    context.warnings.push(tolerated);
    await session.run(doneSql(done));
    finish(steps, context);
  }
}

function finish(steps: readonly SqlStep[], { counts, finished }: RestoreContext): void {
  counts.entries += steps.length;
  for (const { entry } of steps) finished.add(entry.dumpId);
}

function failure([step, ...others]: readonly SqlStep[], error: unknown, { majors }: RestoreContext) {
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return restoreError(error, { what: `${entryName(step!.entry)}${more}`, majors });
}

/** Kinds that a role without all rights meets in every archive; without them the database still works. */
const left = new Set([
  "EVENT TRIGGER",
  "PUBLICATION",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
  "DEFAULT ACL",
  "SUBSCRIPTION",
]);
/** What a wanted table needs and several tables may share. */
const shared = new Set([
  "SCHEMA",
  "EXTENSION",
  "TYPE",
  "DOMAIN",
  "FUNCTION",
  "PROCEDURE",
  "AGGREGATE",
  "COLLATION",
  "SHELL TYPE",
]);
const duplicates = new Set(["42P06", "42710", "42723", "42P07"]);

/** What to say about an entry whose failure does not end the restore, or null. */
function toleratedAs({ entry }: SqlStep, error: unknown, { intoNonEmpty }: RestoreContext): string | null {
  const state = sqlStateOf(error) ?? "";
  const name = entryName(entry);
  const mayLack = left.has(entry.desc) || /^(EXTENSION|EVENT TRIGGER|PUBLICATION) /.test(entry.tag);
  if (state === "42501" && mayLack) return `${name} was left out: ${(error as Error).message}`;
  if (intoNonEmpty && duplicates.has(state) && shared.has(entry.desc)) return `${name} was there already and was kept`;
  return null;
}
