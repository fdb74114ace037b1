import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { startCommand } from "../../dev/faults/command.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { soloFile } from "../support/policy.ts";
import { createDatabase } from "../support/postgres.ts";
import { proxied } from "../support/proxied.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes select n, md5(n::text) from generate_series(1, 500) n;",
  // As pg_dump begins its files: the server's own limits are off from there on.
  down: "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; drop table notes;",
};

const limits = { criticalSectionMs: 1_000, idleMs: 2_500, statementTimeoutMs: 20_000 };
/** For a busy machine, and the watchdog's looks. */
const graceMs = 5_000;

/** Stops the command for good at a statement; answers how long (ms) its locks outlived that. */
async function freezeAt(major: 15 | 17, words: readonly string[], at: RegExp, rolledBack: boolean) {
  const database = await createDatabase({ major });
  await apply(database.url, pair);
  const folder = temporaryFolder();
  if (rolledBack)
    await executeRollback(testBelay({ database: database.url, store: createFolderStore(folder) }), {
      migration: pair.name,
      reason: "to undo",
    });
  const before = await photograph(database.url);
  const policy = join(temporaryFolder(), "policy.json");
  writeFileSync(policy, JSON.stringify({ ...soloFile, limits }));
  const { proxy, url } = await proxied(database.url);
  const frozen = Promise.withResolvers<void>();
  const { child, ended } = startCommand([...words, "--yes", "--reason", "to freeze"], {
    database: url,
    store: pathToFileURL(folder).href,
    policy,
  });
  proxy.watch(({ sql }, when) => {
    if (when !== "before" || !at.test(sql.trim())) return;
    child.kill("SIGSTOP");
    frozen.resolve();
  });
  await Promise.race([frozen.promise, ended.then(({ output }) => Promise.reject(new Error(output)))]);
  const since = performance.now();
  await expect
    .poll(
      () =>
        run(
          database.url,
          `select l.mode, a.application_name, a.query from pg_locks l join pg_stat_activity a using (pid)
      where a.application_name in ('belay rollback', 'belay undo') and l.locktype = 'relation' and a.datname = current_database()`,
        ),
      { timeout: 25_000, interval: 100 },
    )
    .toEqual([]);
  const heldMs = performance.now() - since;
  child.kill("SIGCONT");
  const { exitCode, output } = await ended;
  proxy.close();
  expect(await photograph(database.url)).toEqual(before);
  const records = await run(database.url, "select outcome from belay.rollbacks order by started_at desc limit 1");
  await database.drop();
  return { heldMs, exitCode, output, records };
}

describe("a client that freezes loses its locks", () => {
  const rollback = ["rollback", pair.name];
  const undo = ["undo", pair.name];
  const critical = limits.criticalSectionMs + 1_000;
  const moments = [
    {
      major: 17,
      title: "while the archive is written",
      words: rollback,
      at: /pg_export_snapshot/,
      within: limits.idleMs,
    },
    { major: 17, title: "before COMMIT", words: rollback, at: /set outcome = 'committed'/, within: critical },
    { major: 15, title: "before COMMIT", words: rollback, at: /set outcome = 'committed'/, within: critical },
    {
      major: 15,
      title: "at SQL that switched the server's limits off",
      words: rollback,
      at: /^set constraints all immediate/,
      within: limits.idleMs,
    },
    { major: 17, title: "while an undo sends rows", words: undo, at: /^copy .* from stdin/i, within: 2 * critical },
  ] as const;
  test.each(moments)("$title, on Postgres $major", { timeout: 120_000 }, async ({ major, words, at, within }) => {
    const { heldMs, exitCode, output, records } = await freezeAt(major, words, at, words === undo);
    expect(heldMs).toBeLessThan(within + graceMs);
    expect(output).toMatch(exitCode === 4 ? /held its locks for more than/ : /connection_lost/);
    expect(records).toEqual([{ outcome: "failed" }]);
  });
});
