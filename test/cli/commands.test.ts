import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allCommands } from "../../cli/commands/index.ts";
import { commandHelp, generalHelp } from "../../cli/help.ts";
import { photograph } from "../rollback/helpers.ts";
import { belay, openShop, type Shop, section } from "./support.ts";

const commands = await allCommands();

const files = {
  "20250101000000_customers.sql": section(
    "create table customers (id int primary key, name text not null);",
    "drop table customers;",
  ),
  "20250102000000_orders.sql": section(
    `create table orders (id bigint generated always as identity primary key, customer_id int not null references customers);
create index orders_customer on orders (customer_id);`,
    "drop index concurrently orders_customer;",
    "drop table orders;",
  ),
  "20250103000000_customer_note.sql": section(
    "alter table customers add column note text;",
    "alter table customers drop column note;",
  ),
  "20250104000000_without.sql": "create table without (id int primary key);\n",
};
const [customers, orders, note, without] = Object.keys(files).map((file) => file.replace(".sql", "")) as [
  string,
  string,
  string,
  string,
];

let shop: Shop;
beforeAll(async () => {
  shop = await openShop(
    files,
    `insert into customers select n, 'customer ' || n, case when n % 2 = 0 then 'a note' end from generate_series(1, 200) n;
     insert into orders (customer_id) select 1 + n % 200 from generate_series(1, 1500) n;`,
  );
});
afterAll(() => shop.drop());

describe("help", () => {
  it("names every command, its flags and the exit codes, and ends with 0", async () => {
    const { code, out } = await belay(["--help"]);
    expect(code).toBe(0);
    for (const command of commands) expect(out).toContain(`\n  ${command.name}`);
    expect(out).toContain(
      "0 done, 1 failed and nothing changed, 2 usage, 3 blocked by a gate, 4 lock not obtained, 5 drill not passed",
    );
    for (const flag of ["--database", "--store", "--scratch", "--migrations", "--layout", "--actor", "--json"])
      expect(out).toContain(flag);
  });

  it("of a command needs no database, and names its flags and aliases", async () => {
    const { code, out } = await belay(["rollback", "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^belay rollback MIGRATION\.\.\.\|latest\|--to VERSION\|--deployment ID: /);
    for (const flag of ["--dry-run", "--reason TEXT", "--plan HASH", "--yes"]) expect(out).toContain(flag);
    expect((await belay(["help", "rollback"])).out).toBe(out);
    expect((await belay(["status", "-h"])).out).toContain("Also: belay status");
  });

  it.each(commands)("of $name names each of its flags", (command) => {
    const text = commandHelp(command);
    expect(text).toContain(command.summary);
    for (const flag of Object.keys(command.flags)) expect(text).toContain(`--${flag}`);
  });

  it.each(commands)("of $name fits a terminal of 80 columns", (command) => {
    for (const text of [commandHelp(command, 80), generalHelp(commands, 80)])
      expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("stands for a command that is missing, with the exit code of usage", async () => {
    const ran = await belay([]);
    expect(ran.code).toBe(2);
    expect(ran.out).toContain("Usage: belay COMMAND [flags]");
  });

  it("tells the version", async () => {
    expect((await belay(["--version"])).out).toMatch(/^belay \d+\.\d+\.\d+\n$/);
  });
});

describe("looking", () => {
  it("init a second time says that the schema is there", async () => {
    expect((await shop.belay("init")).out).toContain("schema belay is there already");
    expect(await shop.json(0, "init")).toEqual({ installed: false, schema: "belay" });
  });

  it("list shows migration, can roll back, applied at, has rollback, blocking reason and totals", async () => {
    const { out } = await shop.belay("list");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(
      /^migration +status +can roll back +applied at +has rollback +snapshots +blocking reason$/,
    );
    const of = (name: string) => lines.find((line) => line.startsWith(name))!;
    expect(of(without)).toMatch(/applied +✗ no +\d{4}-\d\d-\d\d [\d:]+Z +✗ +before, after +no rollback SQL$/);
    expect(of(note)).toMatch(/applied +✓ yes +\d{4}-\d\d-\d\d [\d:]+Z +✓ +before, after +-$/);
    expect(of(customers)).toMatch(new RegExp(`✗ no .* ${note} and 1 more depend on it$`));
    expect(out).toContain("Total: 4 (4 applied, 1 without rollback SQL). By ledger and syntax 2 can be rolled back");
  });

  it("list --json is one document with the same facts, also as status, and filtered", async () => {
    const document = await shop.json(0, "list");
    expect(document).toMatchObject({ total: 4, rollbackable: 2 });
    expect(document.migrations.map((row: { migration: string }) => row.migration)).toEqual([
      without,
      note,
      orders,
      customers,
    ]);
    expect(document.migrations[3]).toMatchObject({
      status: "applied",
      canRollBack: false,
      hasRollback: true,
      dependents: [note, orders],
      appliedAt: expect.stringMatching(/^\d{4}-/),
      blockingReason: expect.stringContaining(orders),
    });
    expect(await shop.json(0, "status")).toEqual(document);
    expect(await shop.json(0, "list", "--missing")).toMatchObject({ total: 1, migrations: [{ migration: without }] });
    expect(await shop.json(0, "status", "--rolled-back")).toMatchObject({ total: 0, migrations: [] });
  });

  it("check names the dependents that must go first, once, and ends with 3", async () => {
    const { code, out } = await shop.belay("check", customers);
    expect(code).toBe(3);
    expect(out).toContain("Can roll back  ✗ no");
    expect(out).toContain(`Dependent migrations (must be rolled back first)\n  - ${note}\n`);
    expect(out).toContain(`\n  - ${orders}\n`);
    expect(out).toContain(`→ Roll back first, in this order: ${note}, ${orders}.`);
    expect(out.match(/^ {2}✗ dependents: /gm)).toHaveLength(1);
    expect(out).toContain("✗ in the way: dependents");
    expect(out).toContain("200 rows");
    expect(await shop.json(3, "check", customers)).toMatchObject({ canRollBack: false, dependents: [{}, {}] });
  });

  it("check of what can go ends with 0 and shows risk, loss and every gate", async () => {
    const { code, out } = await shop.belay("check", note);
    expect(code).toBe(0);
    expect(out).toMatch(/Risk +HIGH: values of 1 column in 100 rows go/);
    expect(out).toMatch(/columns +public\.customers \(note\) +100 rows with a value/);
    const { gates } = await shop.json(0, "check", note);
    for (const gate of gates) expect(out).toContain(gate.name);
  });

  it("a dry run shows the SQL that would run, with CONCURRENTLY taken off and said, and changes nothing", async () => {
    const before = await photograph(shop.url);
    const { code, out } = await shop.belay("rollback", orders, "--dry-run");
    expect(code).toBe(0);
    expect(out).toMatch(/SQL that would run\n {2}drop index +orders_customer;\n {2}drop table orders;\n/);
    expect(out).toContain("note: CONCURRENTLY taken off in line 4: drop index concurrently orders_customer");
    expect(out).toMatch(/table +public\.orders +1,500 rows/);
    expect(out).toMatch(/sequence +public\.orders_id_seq +at 1500/);
    const plan = await shop.json(0, "rollback", orders, "--dry-run");
    expect(out).toContain(`Plan ${plan.hash}\n`);
    expect(plan.sql).not.toMatch(/concurrently/i);
    expect(await photograph(shop.url)).toEqual(before);
  });

  it("template proposes proved SQL, with what it loses; without a scratch server it starts its own", async () => {
    const { code, out } = await shop.belay("template", without);
    expect(code).toBe(0);
    expect(out).toContain(`✓ ${without}: proved`);
    expect(out).toContain("-- DROP TABLE public.without;");
    expect(out).toMatch(/loses: all rows of public\.without/);
    const bare = { ...shop.environment, BELAY_SCRATCH_URL: "" };
    const own = await belay(["template", without], bare, { cwd: shop.directory });
    expect(own).toEqual({ code, out, error: "" });
    const ran = await belay(["template", without, "--postgres", "9"], bare, { cwd: shop.directory });
    expect(ran).toMatchObject({ code: 2, error: expect.stringContaining("--postgres 15|17|18") });
    expect(await belay(["template"], bare, { cwd: shop.directory })).toMatchObject({ code: 2 });
  });

  it("sync again registers nothing, and says so", async () => {
    const { out } = await shop.belay("sync");
    expect(out).toContain("Sync: 0 registered, 4 unchanged, 0 not applied, 0 changed");
    expect(await shop.json(0, "sync")).toMatchObject({ registered: [], skipped: [customers, orders, note, without] });
  });
});

describe("doing", () => {
  it("never asks when not on a terminal: it names the flags, and nothing changes", async () => {
    const before = await photograph(shop.url);
    const ran = await belay(["rollback", orders], shop.environment, { cwd: shop.directory, input: "y\ny\n" });
    expect(ran).toMatchObject({ code: 2, out: "" });
    const { hash } = await shop.json(0, "rollback", orders, "--dry-run");
    expect(ran.error).toContain(`--yes --reason "..." --plan ${hash}`);
    expect(await shop.belay("rollback", orders, "--yes")).toMatchObject({
      code: 2,
      error: expect.stringContaining("a rollback needs a reason"),
    });
    expect(await photograph(shop.url)).toEqual(before);
  });

  it("rolls back the shown plan, lists and verifies its archive, drills it, and undoes it", async () => {
    const before = await photograph(shop.url);
    const { hash } = await shop.json(0, "rollback", orders, "--dry-run");
    const ran = await shop.belay("rollback", orders, "--yes", "--reason", "bad deploy", "--plan", hash);
    expect(ran.code, ran.error).toBe(0);
    expect(ran.out).toContain(`✓ Rolled back: ${orders}`);
    expect(ran.out).toMatch(/public\.orders +1,500 rows +\S+/);
    expect(ran.out).toContain("End state as before the migration");
    const [, rollbackId] = /belay undo (\S+) --reason/.exec(ran.out)!;

    expect((await shop.belay("status", "--rolled-back")).out).toMatch(new RegExp(`${orders} +rolled_back`));
    expect((await shop.belay("rollback", orders, "--yes", "--reason", "again")).code).toBe(3);

    const { archives } = await shop.json(0, "archives");
    expect(archives).toMatchObject([{ migration: orders, createdBy: "anna", reason: "bad deploy" }]);
    const { id } = archives[0];
    expect((await shop.belay("archives")).out).toMatch(
      new RegExp(`1 archive in .*\n.*\n${id} +rollback .* 1 table +1,500 rows`),
    );
    expect((await shop.belay("archives", "show", id)).out).toMatch(
      /public\.orders +table +1,500 rows|public\.orders .*1,500 rows/,
    );
    expect((await shop.belay("archives", "verify", id)).out).toContain("every byte read back and decoded");
    expect(await shop.json(0, "archives", "verify", id)).toMatchObject({ archive: id, problems: [] });

    const drill = await shop.belay("drill", id);
    expect(drill.code).toBe(0);
    expect(drill.out).toMatch(/✓ +digests +passed/);

    const undone = await shop.json(0, "undo", rollbackId!, "--yes", "--reason", "it was not the migration");
    expect(undone).toMatchObject({ kind: "undo", outcome: "committed", tables: [{ table: "orders", rows: 1500 }] });
    expect(await photograph(shop.url)).toEqual(before);
  });

  it("undoes by the migration's name or version too, and says what an undo is measured against", async () => {
    expect((await shop.json(0, "rollback", note, "--yes", "--reason", "try")).outcome).toBe("committed");
    expect(await shop.belay("undo", note)).toMatchObject({ code: 2, error: expect.stringContaining("--yes") });
    // By its version, as rollback takes it too.
    const { out } = await shop.belay("undo", note.split("_")[0]!, "--yes", "--reason", "back");
    expect(out).toContain(`✓ Undone: ${note}`);
    expect(out).toContain("End state as before the rollback");
  });

  it("dump archives the whole database; drill takes the latest; a cut archive ends with 5", async () => {
    const { out } = await shop.belay("dump", "--reason", "nightly");
    expect(out).toMatch(/^✓ dump-\S+: \d+ tables, [\d,]+ rows, .* stored and read back\n$/);
    expect(await shop.json(0, "drill")).toMatchObject({ verdict: "pass", archiveId: /dump-[^:]+/.exec(out)![0] });
    damage(shop.store);
    const drill = await shop.belay("drill");
    expect(drill.code).toBe(5);
    expect(drill.out).toMatch(/✗ +decode +failed/);
    const id = /dump-[^:]+/.exec(out)![0];
    expect(await shop.belay("archives", "verify", id)).toMatchObject({ code: 1, out: expect.stringContaining("✗") });
  });

  it("register shows a changed rollback, keeps the old one, and takes the new one only with --accept", async () => {
    shop.write(`${without}.sql`, section(files["20250104000000_without.sql"].trimEnd(), "drop table without;"));
    const shown = await shop.belay("register", without);
    expect(shown.code).toBe(3);
    expect(shown.out).toContain(`belay register ${without} --accept`);
    expect(shown.out).toContain("+ drop table without;");
    expect((await shop.json(0, "list", "--missing")).total).toBe(1);
    expect(await shop.json(0, "register", without, "--accept")).toMatchObject({ outcome: "revised" });
    expect((await shop.json(0, "list", "--missing")).total).toBe(0);
  });

  it("audit verify counts the rows of an intact chain, and finds a changed one", async () => {
    expect((await shop.belay("audit", "verify")).out).toMatch(/^✓ audit log: \d+ rows, chain intact\n/);
    expect(await shop.json(0, "audit", "verify")).toMatchObject({ ok: true });
    await shop.sql(
      "alter table belay.audit_log disable trigger all; update belay.audit_log set actor = 'mallory' where ctid = (select min(ctid) from belay.audit_log)",
    );
    expect((await shop.belay("audit", "verify")).code).toBe(1);
    expect(await shop.json(1, "audit", "verify")).toMatchObject({ ok: false });
  });
});

/** Cuts the largest file of the newest dump. */
function damage(store: string): void {
  const folder = fileURLToPath(store);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.includes("dump-") && path.endsWith(".dat.gz"))
    .map((path) => join(folder, path))
    .sort((a, b) => statSync(b).size - statSync(a).size);
  truncateSync(paths[0]!, Math.floor(statSync(paths[0]!).size / 2));
}
