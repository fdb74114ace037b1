import { expect, test } from "vitest";
import { boundStore } from "../../shared/rollback/execute/bounded-store.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { temporaryFolder } from "../support/belay.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function bound(change: Partial<ObjectStore>, stallMs: number) {
  return boundStore({ ...createFolderStore(temporaryFolder()), ...change }, { stallMs, totalMs: 60_000 });
}

test("making many objects durable is no stall, however long all of them take", async () => {
  const synced: string[] = [];
  const sync = async (keys: readonly string[]) => {
    for (const key of keys) {
      await sleep(10);
      synced.push(key);
    }
  };
  const keys = Array.from({ length: 60 }, (_, n) => `object-${n}`);
  await bound({ sync }, 300).within((store) => store.sync(keys));
  expect(synced).toEqual(keys);
});

test("one object that is never durable is a stall", async () => {
  const never = bound({ sync: () => new Promise(() => {}) }, 100);
  await expect(never.within((store) => store.sync(["object"]))).rejects.toMatchObject({ code: "store_failed" });
});

test("whoever stops reading early lets go of the store's stream", async () => {
  let left = false;
  const read = async function* () {
    try {
      for (;;) yield new Uint8Array(1);
    } finally {
      left = true;
    }
  };
  await bound({ read }, 1_000).within(async (store) => {
    for await (const _ of store.read("object")) break;
  });
  await sleep(0);
  expect(left).toBe(true);
});
