import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { describeWithDebian } from "../support/debian.ts";
import { createDatabase, runSql, serverUrl, type TestDatabase } from "../support/postgres.ts";
import { createEntries } from "./create-entries.ts";
import {
  type ExampleDatabase,
  exampleDatabases,
  hasCorpora,
  load,
  moreRelations,
  newerRelations,
  oddRelations,
  rolesSql,
  seventeenRelations,
} from "./databases.ts";
import { relationFacts } from "./facts.ts";

const majors = [15, 17, 18] as const;

describeWithDebian("creating the entries of a catalog gives an equal catalog", () => {
  for (const major of majors)
    restores(oddRelations, major, (source) => it(`on PostgreSQL ${major}`, () => expectEqualCopy(source.url, major)));
  for (const major of majors)
    restores(moreRelations, major, (source) => it(`on PostgreSQL ${major}`, () => expectEqualCopy(source.url, major)));
  for (const major of [17, 18] as const)
    restores(seventeenRelations, major, (source) =>
      it(`on PostgreSQL ${major}`, () => expectEqualCopy(source.url, major)),
    );
  restores(newerRelations, 18, (source) => it("on PostgreSQL 18", () => expectEqualCopy(source.url, 18)));

  describe.skipIf(!hasCorpora)(hasCorpora ? "published schemas" : "published schemas (skipped: no corpora)", () => {
    for (const example of exampleDatabases)
      restores(example, 15, (source) => {
        it("on PostgreSQL 15", () => expectEqualCopy(source.url, 15));
        it.each([17, 18] as const)("on PostgreSQL %i, taken there from 15", async (major) => {
          await runSql(await serverUrl(major), rolesSql(example));
          const moved = await copyOf(source.url, major);
          await expectEqualCopy(moved.url, major).finally(() => moved.drop());
        });
      });
  });
});

/** Loads an example once for the tests that `define` adds. */
function restores(example: ExampleDatabase, major: 15 | 17 | 18, define: (source: { url: string }) => void): void {
  describe(example.name, () => {
    const source = { url: "" };
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createDatabase({ major });
      source.url = database.url;
      await load(database.url, example);
    });
    afterAll(() => database.drop());
    define(source);
  });
}

/** The reader must find its own entries again, and the system catalogs must agree with it. */
async function expectEqualCopy(source: string, major: 15 | 17 | 18): Promise<void> {
  const copy = await copyOf(source, major);
  try {
    const [before, after] = [await read(source), await read(copy.url)];
    const { removed, added, changed } = compareCatalogs(before, after);
    expect(removed.map((entry) => entry.key)).toEqual([]);
    expect(added.map((entry) => entry.key)).toEqual([]);
    expect(changed.map((pair) => pair.after.create)).toEqual(changed.map((pair) => pair.before.create));
    expect(after.digest).toBe(before.digest);
    expect(await relationFacts(copy.url)).toEqual(await relationFacts(source));
  } finally {
    await copy.drop();
  }
}

async function copyOf(source: string, major: 15 | 17 | 18): Promise<TestDatabase> {
  const { entries } = await read(source);
  const copy = await createDatabase({ major });
  await createEntries(copy.url, entries);
  return copy;
}

async function read(url: string): Promise<Catalog> {
  const session = await openSession(url);
  try {
    return await readCatalog(session);
  } finally {
    await session.close();
  }
}
