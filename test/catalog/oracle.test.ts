import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createDebianDatabase, describeWithDebian, pgDump } from "../support/debian.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";
import { createEntries } from "./create-entries.ts";
import { type ExampleDatabase, exampleDatabases, hasCorpora, load, moreRelations } from "./databases.ts";
import { codeFacts } from "./facts.ts";
import { missingNeeds } from "./needs.ts";
import { compareWithPgDump, formatDifferences, pgDumpEntries } from "./oracle.ts";
import { stockRestore } from "./stock-restore.ts";

const oddKinds: ExampleDatabase = {
  name: "odd schemas, types, functions, grants and comments",
  roles: ["belay_alice", "belay_bob", '"Belay Eve"', '"be""lay=/x"'],
  sql: () => readFile(new URL("odd-kinds.sql", import.meta.url), "utf8"),
};

const oddCode: ExampleDatabase = {
  name: "odd operators, casts, types, text search and languages",
  roles: ["belay_alice", "belay_bob"],
  sql: () => readFile(new URL("odd-code.sql", import.meta.url), "utf8"),
};

/** What servers that are newer than stock pg_dump 15 know besides, by major version. */
const newerCode: Partial<Record<number, string>> = {
  17: `
    create collation code.builtin (provider = builtin, locale = 'C.UTF-8');
    create collation code.ruled (provider = icu, locale = 'und', rules = '&a < b <<< c');`,
  18: "create collation code.casefold (provider = builtin, locale = 'PG_UNICODE_FAST');",
};

const onlyIn18 = `
  alter default privileges grant select on large objects to belay_bob;
  create publication with_generated for table app.t1 with (publish_generated_columns = stored);
  create domain more.named_not_null as int constraint "must be" not null;`;

const exampleFolder = new URL("../../examples/shop/supabase/migrations/", import.meta.url);
const exampleProject: ExampleDatabase = {
  name: "the example project",
  roles: ["anon", "authenticated", "service_role"],
  sql: async () => {
    const files = (await readdir(exampleFolder)).filter((file) => file.endsWith(".sql")).sort();
    return (await Promise.all(files.map((file) => readFile(new URL(file, exampleFolder), "utf8")))).join("\n;\n");
  },
};

describeWithDebian("the whole catalog equals the table of contents of stock pg_dump", () => {
  equalsPgDump(oddKinds);
  equalsPgDump(moreRelations);
  equalsPgDump(oddCode);
  it("needs, directly or through others, all that pg_dump says code needs", async () => {
    const database = await createDebianDatabase();
    try {
      await load(database.url, oddCode);
      const catalog = await read(database.url);
      // Of a family pg_dump says too what its classes need, which are made after it.
      const kinds = new Set(catalog.entries.map(({ kind }) => kind).filter((kind) => kind !== "OPERATOR FAMILY"));
      expect(missingNeeds(await pgDumpEntries(database.url), catalog, [...kinds])).toEqual([]);
    } finally {
      await database.drop();
    }
  });
  if (existsSync(exampleFolder)) equalsPgDump(exampleProject);
  else it.skip("the example project (not there yet)", () => {});
  describe.skipIf(!hasCorpora)(hasCorpora ? "published schemas" : "published schemas (skipped: no corpora)", () => {
    for (const database of exampleDatabases) equalsPgDump(database);
  });
});

for (const major of [15, 17, 18] as const)
  describeWithDebian(`on PostgreSQL ${major}, ${oddCode.name}`, () => {
    let source: TestDatabase;
    let copy: TestDatabase;
    beforeAll(async () => {
      [source, copy] = [await createDatabase({ major }), await createDatabase({ major })];
      await load(source.url, oddCode);
      for (const [since, sql] of Object.entries(newerCode)) if (major >= Number(since)) await runSql(source.url, sql!);
    });
    afterAll(async () => {
      await source.drop();
      await copy.drop();
    });

    it("can be created entry by entry, which gives an equal catalog", async () => {
      const before = await read(source.url);
      await createEntries(copy.url, before.entries);
      const after = await read(copy.url);
      expect(before.unknown).toEqual([]);
      expect(texts(after)).toEqual(texts(before));
      expect(owners(after)).toEqual(owners(before));
      expect(after.digest).toBe(before.digest);
      expect(await codeFacts(copy.url)).toEqual(await codeFacts(source.url));
    });

    it.runIf(major >= 17)("has the collations of its time", async () => {
      const found = texts(await read(source.url));
      expect(found["COLLATION code builtin"]).toBe(
        "CREATE COLLATION code.builtin (provider = builtin, locale = 'C.UTF-8');\n",
      );
      expect(found["COLLATION code ruled"]).toBe(
        "CREATE COLLATION code.ruled (provider = icu, locale = 'und', rules = '&a < b <<< c');\n",
      );
    });
  });

for (const major of [15, 17, 18] as const)
  describeWithDebian(`on PostgreSQL ${major}, ${oddKinds.name}`, () => {
    let source: TestDatabase;
    let copy: TestDatabase;
    beforeAll(async () => {
      [source, copy] = [await createDatabase({ major }), await createDatabase({ major })];
      await load(source.url, oddKinds);
      if (major === 18) await runSql(source.url, onlyIn18);
    });
    afterAll(async () => {
      await source.drop();
      await copy.drop();
    });

    it("can be created entry by entry, which gives an equal catalog", async () => {
      const before = await read(source.url);
      await runSql(copy.url, "alter schema public owner to belay_alice");
      await createEntries(copy.url, before.entries);
      const after = await read(copy.url);
      expect(texts(after)).toEqual(texts(before));
      expect(after.digest).toBe(before.digest);
    });

    it.runIf(major === 18)("has what only 18 knows", async () => {
      const found = texts(await read(source.url));
      expect(found["DOMAIN more named_not_null"]).toBe(
        'CREATE DOMAIN more.named_not_null AS integer CONSTRAINT "must be" NOT NULL;\n',
      );
      expect(found["PUBLICATION - with_generated"]).toContain("publish_generated_columns = stored");
      expect(found["DEFAULT ACL - DEFAULT PRIVILEGES FOR LARGE OBJECTS postgres"]).toBe(
        "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON LARGE OBJECTS  TO belay_bob;\n",
      );
    });
  });

function equalsPgDump(example: ExampleDatabase): void {
  describe(example.name, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createDebianDatabase();
      await load(database.url, example);
    });
    afterAll(() => database.drop());

    it("in every field of every entry, in an order of dependencies", async () => {
      expect(formatDifferences(await compareWithPgDump(database.url))).toBe("");
    });

    it("and stock pg_restore with two jobs makes a database of it that pg_dump dumps alike", async () => {
      const copy = await createDebianDatabase();
      try {
        await stockRestore(copy.url, await read(database.url));
        expect(await pgDump(copy.url, "-s")).toBe(await pgDump(database.url, "-s"));
      } finally {
        await copy.drop();
      }
    });
  });
}

async function read(url: string): Promise<Catalog> {
  const session = await openSession(url);
  try {
    return await readCatalog(session);
  } finally {
    await session.close();
  }
}

function texts(catalog: Catalog): Record<string, string> {
  const sorted = [...catalog.entries].sort((a, b) => (a.key < b.key ? -1 : 1));
  return Object.fromEntries(sorted.map((entry) => [entry.key, entry.create]));
}

function owners(catalog: Catalog): string[] {
  return catalog.entries.map((entry) => `${entry.key} of ${entry.owner}`).sort();
}
