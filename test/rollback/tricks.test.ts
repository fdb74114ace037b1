import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrationOf } from "../../dev/migration-of.ts";
import { BelayError } from "../../shared/errors.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, databaseUrl, runSql, type TestDatabase } from "../support/postgres.ts";
import { apply, photograph, run, withDatabase } from "./helpers.ts";
import { managedBase, type Trick, trickBase, tricks } from "./tricks.ts";

let database: TestDatabase;
let count = 0;
/** Whom Belay is, where it is no superuser; and whom the platform's tables belong to. */
let team: { readonly role: string; readonly url: string };
let platform: string;

beforeAll(async () => {
  database = await createDatabase({ sql: trickBase });
  const role = `${database.name}_team`;
  platform = `${database.name}_platform`;
  const url = new URL(database.url);
  url.username = role;
  url.password = "team";
  team = { role, url: url.href };
  await run(
    database.url,
    `create role "${role}" login password 'team'; create role "${platform}"; grant pg_monitor to "${role}"; grant create on database "${database.name}" to "${role}"`,
  );
  await run(database.url, managedBase.replaceAll("{team}", role).replaceAll("{platform}", platform));
  await apply(team.url);
});

afterAll(async () => {
  const server = databaseUrl(database.url, "postgres");
  await database.drop();
  await runSql(server, `drop role "${team.role}"; drop role "${platform}"`);
});

/** A migration that made a table, whose rollback SQL drops it and does the trick. */
async function prepare({ base = "", down, asTeam }: Trick): Promise<string> {
  const { port, password } = new URL(database.url);
  count += 1;
  const fill = (text: string) =>
    text
      .replaceAll("{database}", database.name)
      .replaceAll("{port}", port)
      .replaceAll("{password}", decodeURIComponent(password))
      .replaceAll("{extra}", `extra_${count}`);
  const name = `${20_250_102_000_000 + count}_change`;
  const up = `create table extra_${count} (id int primary key); insert into extra_${count} values (1), (2);`;
  await withDatabase(asTeam ? team.url : database.url, async (session) => {
    await session.run(fill(base) || "select 1");
    await session.run(up);
    const pair = { name, up, down: fill(down) };
    await insertMigration(session, migrationOf(pair), { actor: "tester", status: "applied" });
  });
  return name;
}

function flagsIn(hint: string | undefined): string[] {
  return [...(hint ?? "").matchAll(/--archive (\S+?)[.:]?(?= |$)/g)].map(([, name]) => name!);
}

describe("rollback SQL that does more than its text shows loses no row", () => {
  test.each(tricks)("$title", async (trick) => {
    const name = await prepare(trick);
    const before = await photograph(database.url);
    const belay = testBelay({ database: trick.asTeam ? team.url : database.url });
    const roll = (archive?: readonly string[]) => executeRollback(belay, { migration: name, reason: "test", archive });
    let archive: readonly string[] | undefined;
    if (trick.archive !== "planned") {
      const refusal = await roll().catch((error) => error);
      expect(refusal).toBeInstanceOf(BelayError);
      expect(refusal.message).toMatch(trick.names ?? /./);
      expect(refusal.hint).toMatch(trick.hint ?? /./);
      expect(await photograph(database.url)).toEqual(before);
      archive = refusal.details.archive ?? flagsIn(refusal.hint);
      expect(archive).toEqual(trick.archive === "never" ? [] : trick.archive);
    }
    if (trick.archive !== "never") {
      const report = await roll(archive);
      expect(await photograph(database.url)).not.toEqual(before);
      await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
      expect(await photograph(database.url)).toEqual(before);
    }
    if (trick.baseDown !== undefined) await run(database.url, trick.baseDown);
  });
});

describe("undo", () => {
  test("loses no row to an event trigger that takes what it has just loaded", async () => {
    const down = "delete from feelings; drop table {extra};";
    const migration = await prepare({ title: "", archive: "planned", down });
    const belay = testBelay({ database: database.url });
    const before = await photograph(database.url);
    const { rollbackId } = await executeRollback(belay, { migration, reason: "test" });
    // Without its forward SQL it goes by the entries, which makes keys after the rows.
    await run(
      database.url,
      `update belay.migration_revisions set forward_sql = 'select 1/0' where migration_name = '${migration}'`,
    );
    const between = await photograph(database.url);
    await run(
      database.url,
      `create function greedy() returns event_trigger language plpgsql as 'begin delete from public.feelings where id = 1; end';
       create event trigger greedy on ddl_command_end execute function greedy()`,
    );
    const failure = await undoRollback(belay, { rollbackId, reason: "test" }).catch((error) => error);
    await run(database.url, "drop event trigger greedy; drop function greedy()");
    expect(failure).toMatchObject({ code: "undo_conflict", message: expect.stringMatching(/feelings/) });
    expect(await photograph(database.url)).toEqual(between);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
  });
});

describe("--archive", () => {
  const plan = async (archive?: readonly string[]) => {
    const migration = await prepare({ title: "", archive: "planned", down: "do $$ begin end $$; drop table {extra};" });
    const belay = testBelay({ database: database.url });
    return { migration, belay, planned: await planRollback(belay, { migration, archive }) };
  };

  test("is part of the plan: its tables with partitions, locks, steps, risk and hash", async () => {
    const { migration, belay, planned } = await plan(["public.measured", "invoice_numbers"]);
    expect(planned.alsoArchived.map(({ kind, schema, table, rows }) => [kind, `${schema}.${table}`, rows])).toEqual(
      expect.arrayContaining([
        ["sequence", "public.invoice_numbers", 0],
        ["table", "public.measured", 0],
        ["table", "public.measured_1", 10],
        ["table", "public.measured_2", 10],
      ]),
    );
    expect(planned.locks.filter(({ because }) => because === "archived on request").length).toBe(4);
    expect(planned.steps.find(({ name }) => name === "archive")?.detail).toMatch(/public\.measured_2/);
    expect(planned.risk).toBe("HIGH");
    expect(planned.hash).not.toBe((await planRollback(belay, { migration })).hash);
    const other = executeRollback(belay, { migration, reason: "test", planHash: planned.hash });
    await expect(other).rejects.toMatchObject({ code: "plan_changed" });
  });

  test.each([
    ["public.linse", /no table public\.linse.*public\.lines/s],
    ["lines", /could be attic\.lines or public\.lines|could be public\.lines or attic\.lines/],
    ["public.dear", /public\.dear is a view/],
    ["belay.rollbacks", /Belay's own record/],
  ])("refuses %s", async (name, words) => {
    const failure = await plan([name]).catch((error) => error);
    expect(failure).toMatchObject({ code: "usage" });
    expect(`${failure.message} ${failure.hint ?? ""}`).toMatch(words);
  });
});
