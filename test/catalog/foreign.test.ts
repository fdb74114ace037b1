import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createDebianDatabase, describeWithDebian, pgDump } from "../support/debian.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";
import { createEntries } from "./create-entries.ts";
import { type ExampleDatabase, load } from "./databases.ts";
import { relationFacts } from "./facts.ts";
import { missingNeeds } from "./needs.ts";
import { compareWithPgDump, formatDifferences, pgDumpEntries } from "./oracle.ts";
import { stockRestore } from "./stock-restore.ts";

const oddForeign: ExampleDatabase = {
  name: "odd foreign data, publications and subscriptions",
  roles: ["odd_amy", '"odd Zed"'],
  sql: () => readFile(new URL("odd-foreign.sql", import.meta.url), "utf8"),
};

const newerForeign = `
  set search_path = far;
  create foreign table virtual (a integer, b integer generated always as (a + 1)) server "Odd Server";
  create foreign table strict (a integer constraint named not null, b integer not null no inherit, c integer) server "Odd Server";
  alter foreign table strict add constraint late not null c not valid;
  create foreign table lenient (a integer check (a > 0) not enforced) server "Odd Server";
  create foreign table far_heir () inherits (strict) server "Odd Server";
  create publication with_generated for all tables with (publish_generated_columns = stored);
  create subscription ample connection 'dbname=x' publication p with (connect = false, slot_name = none, streaming = parallel,
    failover = true, password_required = false, run_as_owner = true, origin = none);`;

describeWithDebian(`${oddForeign.name} are worded as stock pg_dump words them`, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDebianDatabase();
    await load(database.url, oddForeign);
  });
  afterAll(() => dropWithSubscriptions(database));

  it("in every field of every entry, in an order of dependencies", async () => {
    expect(formatDifferences(await compareWithPgDump(database.url))).toBe("");
  });

  it("with all that pg_dump says they need", async () => {
    const kinds = [
      "FOREIGN DATA WRAPPER",
      "SERVER",
      "USER MAPPING",
      "FOREIGN TABLE",
      "TABLE ATTACH",
      "DEFAULT",
      "TRIGGER",
    ];
    expect(missingNeeds(await pgDumpEntries(database.url), await read(database.url), kinds)).toEqual([]);
  });

  it("and stock pg_restore with two jobs makes a database of it that pg_dump dumps alike", async () => {
    const copy = await createDebianDatabase();
    try {
      await stockRestore(copy.url, await read(database.url));
      expect(await pgDump(copy.url, "-s")).toBe(await pgDump(database.url, "-s"));
    } finally {
      await dropWithSubscriptions(copy);
    }
  });
});

for (const major of [15, 17, 18] as const)
  describeWithDebian(`${oddForeign.name} on PostgreSQL ${major}`, () => {
    let source: TestDatabase;
    beforeAll(async () => {
      source = await createDatabase({ major });
      await load(source.url, oddForeign);
      if (major === 18) await runSql(source.url, newerForeign);
    });
    afterAll(() => dropWithSubscriptions(source));

    it("can be created entry by entry, which gives an equal catalog", async () => {
      const copy = await createDatabase({ major });
      try {
        const before = await read(source.url);
        await createEntries(copy.url, before.entries);
        const after = await read(copy.url);
        const { removed, added, changed } = compareCatalogs(before, after);
        expect([...removed, ...added].map((entry) => entry.key)).toEqual([]);
        expect(changed.map((pair) => pair.after.create)).toEqual(changed.map((pair) => pair.before.create));
        expect(before.unknown).toEqual([]);
        // What a child has validated and its parent has not becomes the child's own, as in pg_dump's copies.
        const facts = async (url: string) => (await relationFacts(url)).filter((fact) => !fact.includes("far_heir"));
        expect(await facts(copy.url)).toEqual(await facts(source.url));
      } finally {
        await dropWithSubscriptions(copy);
      }
    });

    it.runIf(major === 18)("has what only 18 knows", async () => {
      const { entries } = await read(source.url);
      const found = Object.fromEntries(entries.map((entry) => [entry.key, entry.create]));
      expect(found["SUBSCRIPTION - ample"]).toBe(
        "CREATE SUBSCRIPTION ample CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, " +
          "streaming = parallel, password_required = false, run_as_owner = true, failover = true, origin = none);\n",
      );
      expect(found["SUBSCRIPTION - plain_sub"]).toContain("streaming = off");
      expect(found["FOREIGN TABLE far virtual"]).toBe(
        "CREATE FOREIGN TABLE far.virtual (\n    a integer,\n    b integer GENERATED ALWAYS AS ((a + 1))\n)\n" +
          'SERVER "Odd Server";\n',
      );
      expect(found["CONSTRAINT far strict late"]).toBe(
        "ALTER FOREIGN TABLE far.strict\n    ADD CONSTRAINT late NOT NULL c NOT VALID;\n",
      );
      expect(found["FOREIGN TABLE far far_heir"]).toContain("CONSTRAINT late NOT NULL c");
      expect(found["FOREIGN TABLE far far_child"]).toContain(
        "ALTER FOREIGN TABLE ONLY far.far_child ALTER COLUMN extra OPTIONS (",
      );
    });
  });

describe("a role that may not read others' secrets", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({
      sql: `
        do $$ begin create role far_reader; exception when duplicate_object or unique_violation then null; end $$;
        create extension postgres_fdw;
        create server far foreign data wrapper postgres_fdw;
        grant usage on foreign server far to far_reader;
        create user mapping for far_reader server far options (password 'own');
        create user mapping for current_user server far options (password 'hidden');
        create user mapping for public server far options (user 'hidden');
        create subscription hidden connection 'dbname=x' publication p with (connect = false, slot_name = none);`,
    });
  });
  afterAll(() => dropWithSubscriptions(database));

  it("is told which mappings and subscriptions it cannot read, and reads its own", async () => {
    const { entries, unknown } = await read(database.url, "far_reader");
    const mappings = entries.filter((entry) => entry.kind === "USER MAPPING");
    expect(mappings.map((entry) => entry.create)).toEqual([
      "CREATE USER MAPPING FOR far_reader SERVER far OPTIONS (\n    password 'own'\n);\n",
    ]);
    expect(unknown.map(({ kind, identity }) => `${kind} ${identity}`)).toEqual([
      expect.stringMatching(/^SUBSCRIPTION hidden \(its connection is hidden from this role/),
      expect.stringMatching(/^USER MAPPING postgres on server far \(its options are hidden from this role/),
      expect.stringMatching(/^USER MAPPING public on server far \(its options are hidden from this role/),
    ]);
  });

  it("names nothing as unknown to a superuser", async () => {
    expect((await read(database.url)).unknown).toEqual([]);
  });
});

async function read(url: string, role?: string): Promise<Catalog> {
  const session = await openSession(url);
  try {
    if (role !== undefined) await session.run(`set role ${role}`);
    return await readCatalog(session);
  } finally {
    await session.close();
  }
}

/** A database with subscriptions cannot be dropped. */
async function dropWithSubscriptions(database: TestDatabase): Promise<void> {
  const session = await openSession(database.url);
  try {
    const found = await session.sql<{ name: string }[]>`
      select quote_ident(subname) as name from pg_subscription
      where subdbid = (select oid from pg_database where datname = current_database())`;
    for (const { name } of found) {
      await session.run(`alter subscription ${name} set (slot_name = none)`);
      await session.run(`drop subscription ${name}`);
    }
  } finally {
    await session.close();
  }
  await database.drop();
}
