import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession } from "../../shared/postgres/session.ts";
import { run } from "../rollback/helpers.ts";
import { temporaryFolder } from "../support/belay.ts";
import { createDatabase, serverUrl } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { asRole, belay, type Environment, openShop, type Shop, section, state } from "./support.ts";

const files = {
  "01_customers.sql": section("create table customers (id int primary key);", "drop table customers;"),
  "02_orders.sql": section("create table orders (id int references customers);", "drop table orders;"),
  "03_broken.sql": section("create table broken (id int);", "drop table orders_;", "drop table if not exists broken;"),
  "04_none.sql": "create table none (id int);\n",
  "05_comment_only.sql": section("create table comment_only (id int);", "-- nothing to do here"),
  "06_overreach.sql": section(
    "create table overreach (id int);",
    "drop table overreach;",
    "drop table customers cascade;",
  ),
  "07_vacuum.sql": section("create table vacuumed (id int);", "drop table vacuumed;", "vacuum customers;"),
  "08_commits.sql": section("create table commits (id int);", "drop table commits;", "commit;", "select 1;"),
  "09_events.sql": section("create table events (id int primary key, what text);", "drop table events;"),
  "10_edited.sql": section("create table edited (id int);", "drop table edited;"),
};

let shop: Shop;
let empty: Awaited<ReturnType<typeof createDatabase>>;
let bare: Awaited<ReturnType<typeof createDatabase>>;
let before: unknown;
beforeAll(async () => {
  bare = await createDatabase();
  await belay(["init"], { BELAY_DATABASE_URL: bare.url });
  shop = await openShop(
    files,
    "insert into customers select generate_series(1, 40); insert into events select n, 'event ' || n from generate_series(1, 90) n",
  );
  empty = await createDatabase();
  shop.write("10_edited.sql", section("create table edited (id bigint);", "drop table edited;"));
  before = await state(shop.url);
});
afterAll(async () => {
  await shop.drop();
  await empty.drop();
  await bare.drop();
});

/** A folder of migrations that is not the shop's. */
function folderOf(...texts: readonly (readonly [name: string, text: string])[]): string {
  const folder = temporaryFolder();
  for (const [name, text] of texts) writeFileSync(join(folder, name), text);
  return folder;
}

interface Refusal {
  readonly words: readonly string[];
  readonly environment?: Environment;
  readonly code: number;
  /** What standard error or output must say: the thing, and the next step. */
  readonly says: readonly (string | RegExp)[];
}

async function refuses({ words, environment, code, says }: Refusal): Promise<void> {
  const ran = await belay(words, { ...shop.environment, ...environment }, { cwd: shop.directory });
  const text = `${ran.out}${ran.error}`;
  expect(ran.code, text).toBe(code);
  for (const expected of says)
    expect(text).toMatch(expected instanceof RegExp ? expected : new RegExp(literally(expected)));
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const rollback = (name: string) => ["rollback", name, "--yes", "--reason", "trying"];

const words: Record<string, Refusal> = {
  "a command that is not there": { words: ["frobnicate"], code: 2, says: ["no command frobnicate", "belay --help"] },
  "a flag that is not there": { words: ["list", "--nix"], code: 2, says: ["'--nix'", "belay list --help"] },
  "a flag before the command": { words: ["--database", "x", "list"], code: 2, says: ["before --database"] },
  "a missing word": { words: ["check"], code: 2, says: ["no migration is named", "MIGRATION"] },
  "a word too many": { words: ["list", "all"], code: 2, says: ["takes no words"] },
  "an unknown migration": { words: ["check", "99_nix"], code: 2, says: ["99_nix", "belay list"] },
  "an unknown migration to roll back": { words: rollback("99_nix"), code: 2, says: ["99_nix", "belay list"] },
  "an unknown version in sync": { words: ["sync", "--applied-to", "77"], code: 2, says: ["77", "belay list"] },
  "an unknown rollback": {
    words: ["undo", "4fd2f5a8-9e0a-4e57-9a77-0d6ea1c5d3b1", "--yes", "--reason", "x"],
    code: 2,
    says: ["no rollback 4fd2f5a8", "belay status --rolled-back"],
  },
  "an unknown archive": { words: ["drill", "nix"], code: 2, says: ["no archive nix", "belay archives"] },
  "an unknown layout": { words: ["list", "--layout", "nix"], code: 2, says: ["layout", "rollbacks-folder"] },
  "no migrations folder": {
    words: ["sync", "--migrations", "/nowhere"],
    code: 2,
    says: ["/nowhere", "--migrations DIR"],
  },
};

const places: Record<string, Refusal> = {
  "no database": {
    words: ["list"],
    environment: { BELAY_DATABASE_URL: "" },
    code: 2,
    says: ["--database", "BELAY_DATABASE_URL"],
  },
  "no store": { words: ["archives"], environment: { BELAY_STORE: "" }, code: 2, says: ["--store", "BELAY_STORE"] },
  "a database that is not Postgres": {
    words: ["list", "--database", "mysql://u:hushhush@h/x"],
    code: 2,
    says: ["database: must be a postgres:// URL"],
  },
  "a database URL that cannot be read": {
    words: ["list", "--database", "postgres://u:hush%hush@h/x"],
    code: 2,
    says: ["cannot be read", "postgres://user:password@host"],
  },
  "a database that does not answer": {
    words: ["list", "--database", "postgres://u:hushhush@127.0.0.1:1/x"],
    code: 1,
    says: ["127.0.0.1:1/x does not answer", "host and port"],
  },
  "a store of an unknown kind": { words: ["archives", "--store", "ftp://x"], code: 2, says: ["s3:// or file:// URL"] },
  "S3 without credentials": {
    words: ["archives", "--store", "s3://bucket"],
    code: 1,
    says: ["no credentials for the bucket bucket", "AWS_ACCESS_KEY_ID"],
  },
  "a store with nothing in it is no error, but said": {
    words: ["archives", "--store", "file:///nowhere"],
    code: 0,
    says: ["0 archives in file:///nowhere", "check --store or BELAY_STORE"],
  },
  "a folder store that is a file": {
    words: ["dump", "--store", "file:///etc/passwd"],
    code: 1,
    says: ["file:///etc/passwd"],
  },
};

const migrations: Record<string, Refusal> = {
  "one that others depend on": { words: rollback("01_customers"), code: 3, says: ["02_orders", "Roll back first"] },
  "broken SQL, with file, line, column and caret": {
    words: rollback("03_broken"),
    code: 3,
    says: [
      /03_broken\.sql:4:15: syntax error at or near "not"/,
      /drop table if not exists broken;\n +\^\n/,
      "belay register 03_broken",
    ],
  },
  "one without rollback SQL": {
    words: rollback("04_none"),
    code: 3,
    says: ["no rollback SQL", "belay template 04_none"],
  },
  "one whose rollback SQL is only comments": {
    words: rollback("05_comment_only"),
    code: 3,
    says: ["05_comment_only", "belay template 05_comment_only"],
  },
  "a rollback that drops what another migration made": {
    words: rollback("06_overreach"),
    code: 3,
    says: [/table public\.customers/i, "made by 01_customers", "Take that out"],
  },
  VACUUM: { words: rollback("07_vacuum"), code: 3, says: ["07_vacuum.sql:4", "VACUUM cannot run in a transaction"] },
  "a COMMIT inside": { words: rollback("08_commits"), code: 3, says: ["08_commits.sql:4", "controls the transaction"] },
  "a file changed after it was applied": {
    words: rollback("10_edited"),
    code: 3,
    says: ["checksum", "10_edited.sql", "not what was applied", "Put the file back"],
  },
  "a plan hash that was never given": {
    words: [...rollback("09_events"), "--plan", "0".repeat(64)],
    code: 3,
    says: ["no longer the one that was approved", "Plan again"],
  },
};

describe.concurrent("refused, with the thing and the next step named, and nothing changed:", () => {
  for (const [name, refusal] of Object.entries({ ...words, ...places, ...migrations }))
    it(name, () => refuses(refusal));

  it("a wrong password, which is not repeated", async () => {
    const url = asRole(shop.url, "postgres", "hushhush");
    await refuses({
      words: ["list"],
      environment: { BELAY_DATABASE_URL: url },
      code: 1,
      says: ["refused the user or password"],
    });
  });

  it("a database without schema belay", async () => {
    const environment = { BELAY_DATABASE_URL: empty.url };
    for (const verb of [
      ["list"],
      ["check", "01_customers"],
      ["sync", "--applied-to", "latest"],
      rollback("01_customers"),
    ])
      await refuses({ words: verb, environment, code: 1, says: ["schema belay", "belay init"] });
  });

  it("an error with --json as one document, with code, message and hint", async () => {
    expect(await shop.json(2, "check", "99_nix")).toEqual({
      error: {
        code: "unknown_migration",
        message: expect.any(String),
        hint: expect.any(String),
        details: expect.any(Object),
      },
    });
    const { error } = await shop.json(3, ...rollback("06_overreach"));
    expect(error.details.gates).toMatchObject([{ name: "provenance", state: "failed" }]);
  });
});

const layouts: Record<string, { texts: [string, string][]; says: (string | RegExp)[] }> = {
  "a section that is not commented": {
    texts: [["50_live.sql", "create table live ();\n-- ROLLBACK START\ndrop table live;\n-- ROLLBACK END\n"]],
    says: [/50_live\.sql:\d+: .*not commented|50_live\.sql:\d+: .*drop/i],
  },
  "a cycle": {
    texts: [
      ["60_a.sql", "-- Depends on: 61_b.sql\ncreate table a ();\n"],
      ["61_b.sql", "-- Depends on: 60_a.sql\ncreate table b ();\n"],
    ],
    says: [/6\d_.\.sql:1: .*circle: 60_a → 61_b → 60_a/],
  },
  "a version twice": {
    texts: [
      ["70_a.sql", "create table a ();\n"],
      ["70_b.sql", "create table b ();\n"],
    ],
    says: [/70_b\.sql:\d+: .*70/, "left out because of an error: "],
  },
  "a section without its end": {
    texts: [["80_open.sql", "create table open ();\n-- ROLLBACK START\n-- drop table open;\n"]],
    says: ["80_open.sql:2: ", "left out because of an error: 80_open"],
  },
  "a dependency on an unknown migration": {
    texts: [["90_a.sql", "-- Depends on: 49_nix.sql\ncreate table a ();\n"]],
    says: ["90_a.sql:1: ", "49_nix"],
  },
};

describe.concurrent("sync names with file and line, and ends with 1:", () => {
  for (const [name, { texts, says }] of Object.entries(layouts))
    it(name, () => {
      const words = ["sync", "--no-replay", "--applied-to", "latest", "--migrations", folderOf(...texts)];
      return refuses({ words, environment: { BELAY_DATABASE_URL: bare.url }, code: 1, says });
    });
});

describe("a rollback that cannot reach the end, one after the other:", () => {
  it("a bucket that is missing", async () => {
    const { credentials, url } = testBucket();
    await refuses({
      words: [...rollback("09_events"), "--store", url.replace(/^s3:\/\/[^/]+/, "s3://no-such-bucket")],
      environment: aws(credentials),
      code: 1,
      says: ["bucket no-such-bucket does not exist", "Create the bucket"],
    });
  });

  it("a store that refuses the key", async () => {
    const { url } = testBucket();
    await refuses({
      words: [...rollback("09_events"), "--store", url],
      environment: aws({ accessKeyId: "AKIANOBODY", secretAccessKey: "hushhushhushhush" }),
      code: 1,
      says: [/refused/, "AWS_ACCESS_KEY_ID"],
    });
  });

  it("a store that does not answer", async () => {
    await refuses({
      words: [...rollback("09_events"), "--store", `s3://b/p?endpoint=${encodeURIComponent("http://127.0.0.1:1")}`],
      environment: aws({ accessKeyId: "a", secretAccessKey: "hushhush" }),
      code: 1,
      says: ["does not answer", "Check the endpoint"],
    });
  });

  it("a plan that no longer fits, because an index came", async () => {
    const { hash } = await shop.json(0, "rollback", "09_events", "--dry-run");
    await shop.sql("create index events_what on events (what)");
    await refuses({
      words: [...rollback("09_events"), "--plan", hash],
      code: 3,
      says: ["no longer the one that was approved"],
    });
    await shop.sql("drop index events_what");
  });

  it("a lock that another session holds: 4, and its pid", async () => {
    const other = await openSession(shop.url);
    try {
      await other.run("begin; update events set what = 'mine' where id = 1");
      await refuses({ words: rollback("09_events"), code: 4, says: [`pid ${other.pid}`, "public.events"] });
    } finally {
      await other.run("rollback");
      await other.close();
    }
  });

  it("a database that goes away in the middle", async () => {
    const other = await openSession(shop.url);
    try {
      await other.run("begin; update events set what = 'mine' where id = 1");
      const refused = refuses({
        words: rollback("09_events"),
        code: 1,
        says: ["connection", "Run the same command again"],
      });
      const waiting =
        "select count(*)::int as n from pg_stat_activity where application_name = 'belay rollback' and datname = current_database()";
      while ((await run(shop.url, waiting))[0]!.n === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await run(
        shop.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'belay%' and datname = current_database() and pid not in (pg_backend_pid(), " +
          `${other.pid})`,
      );
      await refused;
    } finally {
      await other.close().catch(() => {});
    }
  });

  it("after all of these, catalog, rows, sequences and ledger are as before, and nothing is in the store", async () => {
    expect(await state(shop.url)).toEqual(before);
    expect(await shop.json(0, "archives")).toMatchObject({ archives: [] });
    expect(await run(empty.url, "select to_regnamespace('belay') as belay")).toEqual([{ belay: null }]);
  });
});

describe("row-level security", () => {
  it("of a table that the role cannot read whole is told before anything runs", async () => {
    const role = `limited_${randomBytes(4).toString("hex")}`;
    await run(await serverUrl(), `create role ${role} login password 'hushhush' nobypassrls`);
    const guarded = await openShop(
      {
        "01_secrets.sql": section(
          "create table secrets (id int primary key, tenant int); alter table secrets enable row level security; alter table secrets force row level security; create policy mine on secrets using (tenant = 1);",
          "drop table secrets;",
        ),
      },
      "alter table secrets no force row level security; insert into secrets select n, n % 3 from generate_series(1, 30) n; alter table secrets force row level security",
      { owner: { role, password: "hushhush" } },
    );
    try {
      const ran = await guarded.belay(...rollback("01_secrets"));
      expect(ran.code, ran.error).toBe(3);
      expect(ran.error).toContain("public.secrets");
      expect(ran.error).toContain("BYPASSRLS");
      const [row] = await run(
        asRole(guarded.url, "postgres", new URL(await serverUrl()).password),
        "select count(*)::int as n from secrets",
      );
      expect(row).toEqual({ n: 30 });
      // A whole dump by this role would be short of rows too.
      expect(await guarded.belay("dump")).toMatchObject({ code: 1, error: expect.stringContaining("BYPASSRLS") });
      expect(await guarded.json(0, "archives")).toMatchObject({ archives: [] });
    } finally {
      await run(await serverUrl(), `alter database ${new URL(guarded.url).pathname.slice(1)} owner to postgres`);
      await guarded.drop();
      await run(await serverUrl(), `drop role ${role}`);
    }
  });
});

const aws = (credentials: { accessKeyId: string; secretAccessKey: string }): Environment => ({
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
