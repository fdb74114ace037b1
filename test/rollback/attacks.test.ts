import { afterAll, describe, expect, test } from "vitest";
import type { Belay } from "../../shared/context.ts";
import { type BelayError, isBelayError } from "../../shared/errors.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import type { RollbackReport } from "../../shared/rollback/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { type Attack, attackBase, attacks, attackUp } from "./attacks.ts";
import { apply, photograph, run } from "./helpers.ts";

let shared: TestDatabase | null = null;
let count = 0;

afterAll(() => shared?.drop());

/** The database of the attack before, where that is as it was; attacks that bring objects of their own have one of their own. */
async function databaseFor({ base }: Attack): Promise<TestDatabase> {
  if (base !== undefined) return createDatabase({ installed: true });
  if (shared === null) {
    shared = await createDatabase({ installed: true });
    await run(shared.url, attackBase);
  } else await run(shared.url, "drop table extra");
  return shared;
}

/** Catalog, rows and sequences, and what no catalog entry holds: large objects, settings, casts, Belay's own functions. */
async function everything(url: string) {
  const [besides] = await run(
    url,
    `select (select json_agg(m::text order by oid) from pg_largeobject_metadata m)::text as large,
            (select json_agg(md5(data) order by loid, pageno) from pg_largeobject)::text as pages,
            (select json_agg(s::text order by 1) from pg_db_role_setting s
              where setdatabase = (select oid from pg_database where datname = current_database()))::text as settings,
            shobj_description((select oid from pg_database where datname = current_database()), 'pg_database') as comment,
            (select json_agg(cfgname order by 1) from pg_ts_config)::text as configurations,
            (select count(*) from pg_cast)::int as casts,
            (select md5(string_agg(proname || prosrc, ',' order by proname)) from pg_proc where pronamespace = 'belay'::regnamespace) as own`,
  );
  return { ...(await photograph(url)), besides };
}

/** A failed rollback may leave a sequence further on, as any failed insert does; never behind. */
function withoutDraws(state: Awaited<ReturnType<typeof everything>>, before: Readonly<Record<string, string>>) {
  const value = (text: string | undefined) => Number.parseInt(text ?? "0", 10);
  const sequences = Object.entries(state.sequences).map(([key, now]) => [
    key,
    value(now) > value(before[key]) ? before[key] : now,
  ]);
  return { ...state, sequences: Object.fromEntries(sequences) };
}

describe("hostile or careless rollback SQL is refused with nothing changed, or undone with nothing lost", () => {
  test.each(attacks)("$title", async (attack) => {
    const database = await databaseFor(attack);
    const name = `${20_250_102_000_000 + (attack.base === undefined ? count++ : 0)}_change`;
    const { port, password } = new URL(database.url);
    const fill = (text: string) =>
      text
        .replaceAll("current_database_name", database.name)
        .replaceAll("current_port", port)
        .replaceAll("current_password", decodeURIComponent(password));
    if (attack.base !== undefined) await run(database.url, attackBase + fill(attack.base));
    await apply(database.url, { name, up: attackUp, down: fill(attack.down) });
    const before = await everything(database.url);
    const belay = testBelay({ database: database.url });
    const result = await executeRollback(belay, { migration: name, reason: "test" }).catch((error) => error);
    if (result instanceof Error) {
      expect(isBelayError(result), String(result)).toBe(true);
      expect(attack.must, result.message).not.toBe("undone");
      expect(withoutDraws(await everything(database.url), before.sequences)).toEqual(before);
    } else {
      expect(attack.must).not.toBe("refused");
      await undone(belay, database, result, before, attack.mayConflict === true);
    }
    if (database === shared && attack.mayConflict !== true) return;
    if (database === shared) shared = null;
    await database.drop();
  });

  async function undone(
    belay: Belay,
    database: TestDatabase,
    report: RollbackReport,
    before: unknown,
    mayConflict: boolean,
  ) {
    const between = await everything(database.url);
    const failure = await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" }).catch(
      (error) => error,
    );
    if (failure instanceof Error) {
      expect(mayConflict, failure.message).toBe(true);
      expect((failure as BelayError).code).toBe("undo_conflict");
      expect(await everything(database.url)).toEqual(between);
    } else expect(await everything(database.url)).toEqual(before);
  }
});
