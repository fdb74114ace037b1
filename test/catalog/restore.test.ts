import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { describeWithDebian } from "../support/debian.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { createEntries } from "./create-entries.ts";
import { type ExampleDatabase, exampleDatabases, hasCorpora, load, newerRelations, oddRelations } from "./databases.ts";
import { relationFacts } from "./facts.ts";

for (const major of [15, 17, 18] as const)
  describeWithDebian(`on PostgreSQL ${major}, creating the entries of a catalog gives an equal catalog`, () => {
    restoresEqual(major, oddRelations);
    if (major === 18) restoresEqual(major, newerRelations);
    describe.skipIf(!hasCorpora)(hasCorpora ? "published schemas" : "published schemas (skipped: no corpora)", () => {
      for (const database of exampleDatabases) restoresEqual(major, database);
    });
  });

function restoresEqual(major: 15 | 17 | 18, example: ExampleDatabase): void {
  describe(example.name, () => {
    let source: TestDatabase;
    let copy: TestDatabase;
    beforeAll(async () => {
      source = await createDatabase({ major });
      copy = await createDatabase({ major });
      await load(source.url, example);
    });
    afterAll(async () => {
      await source.drop();
      await copy.drop();
    });

    it("has the same entries and the same digest", async () => {
      const before = await read(source.url);
      await createEntries(copy.url, before.entries);
      const after = await read(copy.url);
      const { removed, added, changed } = compareCatalogs(before, after);
      expect(removed.map((entry) => entry.key)).toEqual([]);
      expect(added.map((entry) => entry.key)).toEqual([]);
      expect(changed.map((pair) => pair.after.create)).toEqual(changed.map((pair) => pair.before.create));
      expect(after.digest).toBe(before.digest);
    });

    it("has the same columns, constraints, indexes and the rest in the system catalogs", async () => {
      const [before, after] = [await relationFacts(source.url), await relationFacts(copy.url)];
      expect(after.filter((fact) => !before.includes(fact))).toEqual([]);
      expect(before.filter((fact) => !after.includes(fact))).toEqual([]);
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
