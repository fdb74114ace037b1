import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { startCommand } from "../../dev/faults/command.ts";
import { temporaryFolder } from "../support/belay.ts";
import { soloFile } from "../support/policy.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key); insert into notes select generate_series(1, 500);",
  down: "drop table notes;",
};

test("two rollbacks at once, then a rollback and two undos, from processes of their own: one of each does it", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const policy = join(temporaryFolder(), "policy.json");
  writeFileSync(policy, JSON.stringify(soloFile));
  const place = { database: database.url, store: pathToFileURL(temporaryFolder()).href, policy };
  const start = (verb: string) => startCommand([verb, pair.name, "--yes", "--reason", "both"], place).ended;

  const rollbacks = await Promise.all([start("rollback"), start("rollback")]);
  expect(rollbacks.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
  for (const { exitCode, output } of rollbacks)
    if (exitCode !== 0) expect(output).toMatch(/rollback_in_progress|gate_failed|already_rolled_back|plan_changed/);
  expect(await run(database.url, "select to_regclass('notes')::text as found")).toEqual([{ found: null }]);

  const mixed = await Promise.all([start("undo"), start("undo"), start("rollback")]);
  const [one, other] = mixed;
  expect([one!.exitCode, other!.exitCode].filter((code) => code === 0)).toHaveLength(1);
  const open = "select count(*)::int as open from belay.rollbacks where outcome in ('intended', 'unknown')";
  expect(await run(database.url, open)).toEqual([{ open: 0 }]);
  // The rollback comes too early, or after the undo.
  if (mixed[2]!.exitCode === 0) expect((await start("undo")).exitCode).toBe(0);
  expect(await photograph(database.url)).toEqual(before);
  await database.drop();
});
