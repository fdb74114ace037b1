import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstDifference, publishedMigrations, walk } from "../../dev/watch-corpora/walk.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Address, Catalog } from "../../shared/catalog/types.ts";
import { watchCatalog } from "../../shared/catalog/watch.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { dropSubscriptions } from "../../shared/postgres/subscriptions.ts";
import { describeWithDebian } from "../support/debian.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { change, changeRoles } from "./changes.ts";
import { type ExampleDatabase, hasCorpora, load } from "./databases.ts";

const roles = [
  "odd_amy",
  "odd_zed",
  '"odd Zed"',
  "belay_alice",
  "belay_bob",
  '"Belay Eve"',
  '"be""lay=/x"',
  ...changeRoles,
];
const corpora = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));

const pick = fc.tuple(fc.nat(), fc.nat(), fc.nat(99));

for (const files of [
  ["odd-relations.sql", "odd-code.sql"],
  ["odd-relations-more.sql", "odd-kinds.sql"],
  ["odd-foreign.sql"],
])
  describeWithDebian(`with ${files.join(" and ")}`, () => {
    let database: TestDatabase;
    let session: Session;
    beforeAll(async () => {
      database = await createDatabase();
      for (const file of files) await load(database.url, oddExample(file));
      session = await openSession(database.url, { prepare: true });
    });
    afterAll(async () => {
      await dropSubscriptions(session, database.name, database.url);
      await session.close();
      await database.drop();
    });

    it("a read of any objects gives the entries that a whole read gives for them and for what belongs to them", async () => {
      const whole = await readCatalog(session);
      const objects = addresses(whole);
      const numbers = fc.subarray(
        objects.map((_, index) => index),
        { maxLength: 12 },
      );
      await fc.assert(
        fc.asyncProperty(numbers, async (some) => {
          const only = some.map((index) => objects[index]!);
          expectPart(whole, await readCatalog(session, { only }), only);
        }),
        { numRuns: 12, seed: freshSeed() },
      );
      const all = await readCatalog(session, { only: objects });
      expect(all.digest).toBe(whole.digest);
    });

    it("a watch tells what a whole read tells after any changes, and when they are undone", async () => {
      const watch = watchCatalog(session);
      const steps = fc.array(fc.tuple(pick, fc.nat(3)), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          await session.run("begin");
          try {
            for (const [picked, back] of list) {
              const before = await readCatalog(session);
              await session.run("savepoint before");
              const sql = change(before.entries, picked);
              await session.run(sql).catch(() => session.run("rollback to before"));
              expect(firstDifference(await watch.read(), await readCatalog(session)), sql).toBe(null);
              if (back > 0) continue;
              await session.run("rollback to before");
              expect(firstDifference(await watch.read(), before), `undone: ${sql}`).toBe(null);
            }
          } finally {
            await session.run("rollback");
          }
          expect(firstDifference(await watch.read(), await readCatalog(session))).toBe(null);
        }),
        { numRuns: 5, seed: freshSeed() },
      );
    });
  });

describe.skipIf(!hasCorpora)(hasCorpora ? "published migrations" : "published migrations (skipped: no corpora)", () => {
  it.each(["kratos", "horizon"])("of %s: a watch tells what a whole read tells, up, down and undone", async (name) => {
    const database = await createDatabase({ major: 15 });
    const session = await openSession(database.url, { prepare: true });
    try {
      const migrations = (await publishedMigrations(`${corpora}${name}`)).slice(0, 36);
      const { compared, wrong } = await walk(session, migrations, (index) => index % 6 === 5);
      expect(compared).toBeGreaterThan(20);
      expect(wrong).toEqual([]);
    } finally {
      await session.close();
      await database.drop();
    }
  });
});

function oddExample(file: string): ExampleDatabase {
  return { name: file, roles, sql: () => readFile(new URL(file, import.meta.url), "utf8") };
}

/** fast-check tells the seed of a failure, and it stands here in the output of every run. */
function freshSeed(): number {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  return seed;
}

function addresses({ entries }: Catalog): Address[] {
  // Attachments, owned sequences and row security have no address of their own.
  const own = entries.filter(({ address }) => address.classid !== 0 && address.classid !== 2611);
  return [...new Map(own.map(({ address }) => [`${address.classid}/${address.objid}`, address])).values()];
}

/** Kinds that are told with the table whose name theirs begins with. */
const ofTable = new Set(["CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "POLICY", "DEFAULT"]);

function expectPart(whole: Catalog, part: Catalog, only: readonly Address[]): void {
  const expected = new Map(whole.entries.map((entry) => [entry.key, entry]));
  for (const entry of part.entries) expect(entry).toEqual(expected.get(entry.key));
  const asked = new Set(only.map(({ classid, objid }) => `${classid}/${objid}`));
  const told = new Set(part.entries.map(({ key }) => key));
  const isAsked = ({ classid, objid }: Address) => asked.has(`${classid}/${objid}`);
  const missing = whole.entries.filter((entry) => isAsked(entry.address) && !told.has(entry.key));
  expect(missing).toEqual([]);
  for (const table of part.entries.filter(({ kind, address }) => kind === "TABLE" && isAsked(address)))
    for (const entry of whole.entries)
      if (ofTable.has(entry.kind) && entry.schema === table.schema && entry.dependencies.includes(table.key))
        if (entry.name.startsWith(`${table.name} `)) expect(told).toContain(entry.key);
}
