import { describe, expect, test } from "vitest";
import { listArchives, surveyArchives } from "../../shared/archive/list.ts";
import { BelayError } from "../../shared/errors.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { openStore } from "../../shared/store/open.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { putArchive } from "../retention/archives.ts";
import { chunksOf } from "../store/contract.ts";
import { temporaryFolder } from "../support/belay.ts";
import { testBucket } from "../support/s3.ts";

const day = (n: number) => new Date(Date.UTC(2026, 0, n));

describe.each([
  ["a folder", () => createFolderStore(temporaryFolder())],
  ["S3", () => (({ url, credentials }) => openStore(url, credentials))(testBucket())],
])("a survey of the archives in %s", (_, open) => {
  test("shows whole ones newest first, damaged ones apart, and none without its manifest", async () => {
    const store = open();
    const ids: string[] = [];
    for (const n of [3, 1, 2]) ids.push(await putArchive(store, { at: day(n) }));
    await putArchive(store, { id: "dump-20260104t000000z-0000000a", at: day(4) });
    await store.delete("archives/dump-20260104t000000z-0000000a/manifest.json");
    await store.write("archives/dump-20260105t000000z-0000000b/deeper/manifest.json", chunksOf("{}"));
    await store.write("archives/dump-20260106t000000z-0000000c/manifest.json", chunksOf('{"format":'));
    await store.write("archives/somebody else's/toc.dat", chunksOf("PGDMP"));
    await store.write("archives/manifest.json", chunksOf("{}"));
    const survey = await surveyArchives(store);
    expect(survey.whole.map(({ id }) => id)).toEqual([ids[0], ids[2], ids[1]]);
    expect(survey.damaged.map(({ id }) => id)).toEqual(["dump-20260106t000000z-0000000c"]);
    expect(survey.unfinished).toContain("dump-20260104t000000z-0000000a");
    expect(await listArchives(store)).toEqual(survey.whole);
  });
});

describe("a survey", () => {
  test("reads several manifests at a time, and no more than eight", async () => {
    const store = createFolderStore(temporaryFolder());
    for (let n = 1; n <= 28; n += 1) await putArchive(store, { at: day(n) });
    let [reading, most] = [0, 0];
    const watched: ObjectStore = {
      ...store,
      read: async function* (key) {
        reading += 1;
        most = Math.max(most, reading);
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield* store.read(key);
        reading -= 1;
      },
    };
    expect((await surveyArchives(watched)).whole.length).toBe(28);
    expect(most).toBe(8);
  });

  test("fails when the store fails on one manifest: half a list is no list", async () => {
    const store = createFolderStore(temporaryFolder());
    for (let n = 1; n <= 9; n += 1) await putArchive(store, { at: day(n) });
    const failing: ObjectStore = {
      ...store,
      read: (key) => {
        if (key.includes("20260105")) throw new BelayError("store_failed", "500");
        return store.read(key);
      },
    };
    await expect(surveyArchives(failing)).rejects.toMatchObject({ code: "store_failed" });
  });
});
