import { describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes select n, repeat(md5(n::text), 20) from generate_series(1, 5000) n;",
  down: "drop table notes;",
};

const never = () => new Promise<never>(() => {});

/** A store that stops answering at one kind of request. */
function silentStore(inner: ObjectStore, at: "head" | "write" | "upload" | "read"): ObjectStore {
  return {
    ...inner,
    head: (key) => (at === "head" ? never() : inner.head(key)),
    write: async (key, chunks, options) => {
      if (at === "write") return never();
      if (at !== "upload") return inner.write(key, chunks, options);
      for await (const _ of chunks) await never();
      return 0;
    },
    read: (key, range) =>
      at === "read"
        ? (async function* () {
            yield await never();
          })()
        : inner.read(key, range),
  };
}

describe("a store that no longer answers does not keep the locks", () => {
  test.each(["head", "write", "upload", "read"] as const)(
    "at %s: given up, nothing changed, the table is free",
    async (at) => {
      const database = await createDatabase({ installed: true });
      await apply(database.url, pair);
      const before = await photograph(database.url);
      const store = createFolderStore(temporaryFolder());
      const belay = testBelay({
        database: database.url,
        store: silentStore(store, at),
        settings: { storeStallMs: 300 },
      });
      const started = performance.now();
      await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
        code: "store_failed",
        message: expect.stringMatching(/no sign of life for 300 ms/),
      });
      expect(performance.now() - started).toBeLessThan(20_000);
      await run(database.url, "set lock_timeout = '1s'; update notes set body = body");
      expect(await photograph(database.url)).toEqual(before);
      expect(await listArchives(store)).toEqual([]);
      expect(await run(database.url, "select outcome, error_code from belay.rollbacks")).toEqual([
        { outcome: "failed", error_code: "store_failed" },
      ]);
      await database.drop();
    },
  );

  test("that is slow but alive for longer than the whole may take is given up too", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const inner = createFolderStore(temporaryFolder());
    const slow: ObjectStore = {
      ...inner,
      write: async (key, chunks, options) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        return inner.write(key, chunks, options);
      },
    };
    const belay = testBelay({ database: database.url, store: slow, settings: { archiveMs: 500 } });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringMatching(/within 500 ms/),
    });
    await database.drop();
  });
});
