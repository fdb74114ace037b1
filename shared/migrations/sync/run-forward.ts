import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { parseSql } from "../../sql/parse.ts";

/**
 * Applies a migration's forward SQL on a scratch database: as one simple query, as most tools send it; when that
 * fails, statement by statement, as CONCURRENTLY or a new enum label's first use needs it. Throws `sql_failed`.
 */
export async function runForward(
  session: Session,
  migration: { name: string; file: string; forwardSql: string },
): Promise<void> {
  if (migration.forwardSql.trim() === "") return;
  const text = migration.forwardSql.replace(/^\uFEFF/, "");
  try {
    await session.run(text);
  } catch (error) {
    await session.run("rollback").catch(() => {});
    await runEach(session, text, migration).catch((second: unknown) => {
      throw failed(migration.name, second instanceof BelayError ? error : second);
    });
  }
  await session.run("discard all");
}

async function runEach(session: Session, text: string, migration: { file: string }): Promise<void> {
  for (const statement of parseSql(text, { file: migration.file, line: 1 })) {
    try {
      await session.run(statement.text);
    } catch (error) {
      await session.run("rollback").catch(() => {});
      throw error;
    }
  }
}

function failed(name: string, error: unknown): BelayError {
  const message = error instanceof Error ? error.message : String(error);
  return new BelayError("sql_failed", `${name} could not be applied to a scratch database: ${message}`, {
    hint: "Roles, schemas or extensions that the platform brings belong into the scratch setup file (BELAY_SCRATCH_SETUP).",
    details: { migration: name },
    cause: error,
  });
}
