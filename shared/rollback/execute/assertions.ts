import { BelayError } from "../../errors.ts";
import { readLedgerMigration } from "../../migrations/ledger/ledger.ts";
import type { Session } from "../../postgres/session.ts";
import { parseSql } from "../../sql/parse.ts";
import { defaultSurroundings } from "../transaction/run-sql.ts";
import { setLocal } from "../transaction/timeouts.ts";

/** Runs the migration's VERIFY section: every value of every query must be true; throws `end_state_differs` otherwise. */
export async function runAssertions(session: Session, migration: string): Promise<void> {
  const { verifySql, name } = await readLedgerMigration(session, migration);
  if (verifySql === null || verifySql.trim() === "") return;
  // Assertions run as the team wrote them, and can change nothing: a savepoint alone can leave read-only mode again.
  await session.run("savepoint belay_verify; set local transaction_read_only = on");
  await setLocal(session, "search_path", (await defaultSurroundings(session)).searchPath);
  for (const { text, line } of parseSql(verifySql, { file: `${name} VERIFY`, line: 1 })) {
    const rows = await session.run(text).catch((error: unknown) => {
      throw failed(name, line, `fails: ${(error as Error).message}`, error);
    });
    const values = [...rows].flatMap((row) => Object.values(row));
    if (values.length === 0 || values.some((value) => value !== true)) throw failed(name, line, "is not true");
  }
  await session.run("rollback to savepoint belay_verify; release savepoint belay_verify");
}

function failed(migration: string, line: number, how: string, cause?: unknown): BelayError {
  return new BelayError("end_state_differs", `the VERIFY assertion at line ${line} of ${migration} ${how}`, {
    hint: "Everything was put back. Mend the rollback SQL or the assertion.",
    details: { migration, line },
    cause,
  });
}
