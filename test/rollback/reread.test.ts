import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstDifference } from "../../dev/watch-corpora/walk.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import { watchCatalog } from "../../shared/catalog/watch.ts";
import { parseSettings } from "../../shared/config.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { ownPath } from "../../shared/postgres/settings.ts";
import { type Account, readAccount } from "../../shared/rollback/guard/account.ts";
import { resetSurroundings } from "../../shared/rollback/transaction/run-sql.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { attackBase, attacks, attackUp } from "./attacks.ts";
import { apply } from "./helpers.ts";
import { trickBase, tricks } from "./tricks.ts";

const settings = parseSettings({});
const pair = { name: "20250101000000_extra", up: `${attackBase}${attackUp}`, down: "" };
const trickPair = {
  name: "20250101000000_extra",
  up: `${trickBase}; create table extra (id int primary key); insert into extra values (1);`,
  down: "",
};

/** What rollback SQL does without a lock on the relation that it changes, or only in a subtransaction that ends. */
const sly = [
  "alter schema public rename to other",
  "do $$ begin perform setval('invoice_numbers', 1); raise 'x'; exception when others then null; end $$",
  "do $$ begin drop table extra; raise 'x'; exception when others then null; end $$; create table extra_two (a int)",
  "savepoint a; drop table extra; rollback to a; create table extra (id int)",
  "alter type mood rename value 'ok' to 'fine'; alter type mood add value 'meh'",
  "update pg_class set relname = 'renamed_by_hand' where relname = 'extra'",
  "update pg_attribute set attname = 'by_hand' where attrelid = 'extra'::regclass and attname = 'id'",
  "update pg_sequence set seqincrement = 7",
  "select setval('invoice_numbers', 1, false); drop sequence invoice_numbers; create sequence invoice_numbers",
  "alter sequence invoice_numbers restart with 3; select nextval('invoice_numbers')",
  "create table again (like extra including all); drop table extra; alter table again rename to extra",
  "alter table extra set schema pg_catalog",
];

/** Every run takes others of them; all take long. A raw COPY FROM STDIN would end this test's own connection. */
const share = 4;
const first = Math.floor(Math.random() * share);
console.log(`every ${share}th attack and trick from ${first} on`);
const picked = (all: readonly { readonly base?: string; readonly down: string }[]) =>
  all
    .filter(({ down }, at) => at % share === first && !/from stdin/i.test(down))
    .map(({ base = "", down }) => [base, down] as const);

/** Locks come in no order, and reading takes some. */
function comparable(account: Account) {
  const stronger = [...account.locks].flatMap(([oid, modes]) => {
    const kept = modes.filter((mode) => mode !== "AccessShareLock").sort();
    return kept.length === 0 ? [] : [[oid, kept] as const];
  });
  return { ...account, locks: new Map(stronger) };
}

describe.each([
  { title: "attacks", pair, sqls: picked(attacks) },
  { title: "tricks", pair: trickPair, sqls: picked(tricks) },
  { title: "sly SQL", pair, sqls: sly.map((down) => ["", down] as const) },
])("what is read again after $title", ({ pair, sqls }) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ installed: true });
    await apply(database.url, pair);
  });
  afterAll(() => database.drop());

  test("is what a whole reading tells: catalog and account", async () => {
    let ran = 0;
    for (const [base, down] of sqls) {
      const session = await openSession(database.url, { parameters: ownPath });
      const sql = down.replaceAll("{extra}", "extra");
      try {
        const watch = watchCatalog(session);
        await watch.read();
        const based = await session.run(`begin; set local search_path = public; ${base}`).then(
          () => true,
          () => false,
        );
        if (!based) continue;
        const before = await readAccount(session);
        await watch.read();
        await session.run(`savepoint belay_sql; set local search_path = public`);
        const failure = await session.run(sql).then(
          () => null,
          (error) => error,
        );
        if (failure !== null) continue;
        ran++;
        await resetSurroundings(session, settings);
        expect(firstDifference(await watch.read(), await readCatalog(session)), sql).toBe(null);
        const since = await readAccount(session, before);
        expect(comparable(since), sql).toEqual(comparable(await readAccount(session)));
      } catch (error) {
        if (session.alive) throw error;
      } finally {
        await session.destroy();
      }
    }
    expect(ran).toBeGreaterThan(sqls.length / 3);
  });
});
