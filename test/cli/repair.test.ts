import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolNotes } from "../../shared/migrations/repair/tool-notes.ts";
import { openShop, type Shop, section } from "./support.ts";

const files = {
  "1_customers.sql": section("create table customers (id int);", "drop table customers;"),
  "2_orders.sql": section("create table orders (id int); create index orders_id on orders (id);", "drop table orders;"),
};

let shop: Shop;
beforeAll(async () => {
  shop = await openShop(files);
});
afterAll(() => shop.drop());

const fail = () => shop.sql("update belay.migration_history set status = 'failed' where migration_name = '2_orders'");
const status = async () =>
  (await shop.sql("select status, notes from belay.migration_history where migration_name = '2_orders'"))[0];
const repair = (...words: string[]) => shop.belay("repair", "2_orders", ...words);

describe("belay repair", () => {
  it("says what the database looks like, and changes nothing without a way, a yes and a reason", async () => {
    await fail();
    const ran = await repair();
    expect(ran).toMatchObject({ code: 2, out: expect.stringContaining("it looks applied") });
    expect(ran.error).toMatch(/not on a terminal/);
    expect((await repair("--applied", "--yes")).error).toMatch(/a repair needs a reason/);
    expect((await repair("--applied", "--not-applied", "--yes", "--reason", "x")).code).toBe(2);
    expect(await status()).toMatchObject({ status: "failed" });
  });

  it("settles it as applied where every object is as the migration leaves it, with actor and reason on record", async () => {
    const report = await shop.json(0, "repair", "2_orders", "--applied", "--yes", "--reason", "finished by hand");
    expect(report).toMatchObject({
      from: "failed",
      to: "applied",
      forced: false,
      evidence: { catalog: { looks: "applied" } },
    });
    expect(await status()).toEqual({ status: "applied", notes: "finished by hand" });
    const [row] = await shop.sql(
      "select actor, action, subject, details ->> 'reason' as reason from belay.audit_log order by id desc limit 1",
    );
    expect(row).toEqual({ actor: "anna", action: "repair", subject: "2_orders", reason: "finished by hand" });
  });

  it("refuses the way that the database speaks against, names the objects, and does it by force", async () => {
    await fail();
    const refused = await repair("--not-applied", "--yes", "--reason", "x");
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.error).toMatch(
      /2 of its objects are not as they were before it: INDEX public orders_id, TABLE public orders/,
    );
    expect(await status()).toMatchObject({ status: "failed" });
    await shop.sql("drop index orders_id");
    const half = await repair("--applied", "--yes", "--reason", "x");
    expect(half.code).toBe(3);
    expect(half.out).toMatch(
      /it looks half applied[\s\S]*as it leaves them: TABLE public orders[\s\S]*as before it: INDEX public orders_id/,
    );
    const forced = await shop.json(0, "repair", "2_orders", "--not-applied", "--yes", "--reason", "x", "--force");
    expect(forced).toMatchObject({ to: "rolled_back", forced: true });
    await shop.sql("drop table orders");
    await fail();
    expect(await shop.json(0, "repair", "2_orders", "--not-applied", "--yes", "--reason", "gone")).toMatchObject({
      to: "rolled_back",
      forced: false,
      evidence: { catalog: { looks: "not_applied", asAfter: [] } },
    });
  });

  it("shows the tool's own table, names the tool's command, and leaves the table alone", async () => {
    await shop.sql("create table schema_migrations (version bigint primary key, dirty boolean not null)");
    await shop.sql("insert into schema_migrations values (2, true)");
    await fail();
    const ran = await repair("--not-applied", "--yes", "--reason", "gone");
    expect(ran.out).toMatch(/golang-migrate: public\.schema_migrations has it, dirty/);
    expect(ran.out).toMatch(/says that it is half applied: run `migrate force 1`/);
    expect(await shop.sql("select version::int as version, dirty from schema_migrations")).toEqual([
      { version: 2, dirty: true },
    ]);
    await shop.sql("drop table schema_migrations");
  });

  it("leaves a record alone of which nothing is open", async () => {
    expect(await repair()).toMatchObject({ code: 0, out: expect.stringContaining("Nothing is open") });
    expect((await repair("--applied", "--yes", "--reason", "x")).error).toMatch(
      /is on record as rolled_back, and nothing of it is open/,
    );
    expect((await shop.belay("repair", "nope")).error).toMatch(/unknown_migration/);
  });

  it("settles a rollback whose process was killed: it was not committed, for its mark is not there", async () => {
    await shop.sql(
      `insert into belay.rollbacks (migration_name, plan_hash, plan, reason, actor, outcome, backend_pid, xid)
       values ('2_orders', 'h', '{}', 'r', 'a', 'intended', 1, null), ('2_orders', 'h', '{}', 'r', 'a', 'unknown', 1, '3')`,
    );
    const ran = await repair();
    expect(ran.code).toBe(0);
    expect(ran.out.match(/it was not committed, and changed nothing/g)).toHaveLength(2);
    expect(await shop.sql("select distinct outcome, error_code from belay.rollbacks")).toEqual([
      { outcome: "failed", error_code: "connection_lost" },
    ]);
  });
});

describe("the tool's own command", () => {
  const tracking = { table: {} } as never;
  const migration = { name: "2_orders", version: "2", previous: "1" };
  it.each([
    ["supabase", /supabase migration repair --status reverted 2/, /--status applied 2/],
    ["prisma", /prisma migrate resolve --rolled-back 2_orders/, /--applied 2_orders/],
    ["flyway", /flyway repair/, /flyway repair`, then `flyway migrate/],
    ["goose", /delete from t where version_id = 2;/, /insert into t \(version_id, is_applied\) values \(2, true\);/],
    ["dbmate", /delete from t where version = '2';/, /insert into t \(version\) values \('2'\);/],
    ["sql-migrate", /delete from t where id = '2_orders\.sql';/, /sql-migrate skip/],
    ["golang-migrate", /migrate force 1/, /migrate force 2/],
  ])("of %s is named for both ways", (name, notApplied, applied) => {
    const tool = { name, table: "t", dirty: false };
    expect(toolNotes({ ...tool, recorded: true }, tracking, "not_applied", migration)[0]).toMatch(notApplied);
    expect(toolNotes({ ...tool, recorded: false }, tracking, "applied", migration)[0]).toMatch(applied);
    expect(toolNotes({ ...tool, recorded: true }, tracking, "applied", migration)).toEqual([]);
  });
});
