import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isBelayError } from "../../shared/errors.ts";
import type { ObjectStore, UnfinishedUpload } from "../../shared/store/types.ts";

export async function* chunksOf(...chunks: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** `total` random-looking bytes in pieces of `piece`, the same for the same seed. */
export async function* manyBytes(total: number, piece = 200_000): AsyncGenerator<Uint8Array> {
  const block = createHash("sha512").update("seed").digest();
  const whole = Buffer.alloc(piece, block);
  for (let sent = 0; sent < total; sent += piece) {
    whole.writeUInt32BE(sent >>> 0, 0);
    yield Buffer.from(whole.subarray(0, Math.min(piece, total - sent)));
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export async function sha256(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

export async function codeOf(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
  } catch (error) {
    if (isBelayError(error)) {
      expect(error.hint).toBeTruthy();
      return error.code;
    }
    throw error;
  }
  return "no error";
}

/** A store on an empty place. */
export interface OpenedStore {
  readonly store: ObjectStore;
  /** Begins an upload of `bytes` bytes under a key and leaves it unfinished, as a killed process does. */
  readonly abandon: ((key: string, bytes: number) => Promise<void>) | null;
  close(): Promise<void>;
}

/** What every store must do; `abandon` is null for a store that cannot tell of unfinished uploads. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the store's contract`, () => {
    let store: ObjectStore;
    let abandon: OpenedStore["abandon"];
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ store, abandon, close } = await open());
    });
    afterAll(() => close?.());

    const keysUnder = async (prefix: string) => {
      const keys: string[] = [];
      for await (const found of store.list(prefix)) keys.push(found.key);
      return keys;
    };

    test("what is written is read back, and its size returned", async () => {
      expect(await store.write("a/one.txt", chunksOf("hello ", "world"))).toBe(11);
      expect((await collect(store.read("a/one.txt"))).toString()).toBe("hello world");
      expect(await store.head("a/one.txt")).toMatchObject({ key: "a/one.txt", size: 11 });
    });

    test("an empty object is an object", async () => {
      expect(await store.write("a/empty", chunksOf())).toBe(0);
      expect((await collect(store.read("a/empty"))).length).toBe(0);
      expect((await store.head("a/empty"))?.size).toBe(0);
    });

    test.each([
      ["exactly one part", 8 * 1024 * 1024],
      ["one part and a byte", 8 * 1024 * 1024 + 1],
      ["several parts", 20 * 1024 * 1024 + 17],
    ])("%s arrives byte for byte", async (_, size) => {
      const key = `big/${size}`;
      expect(await store.write(key, manyBytes(size), { createOnly: true })).toBe(size);
      expect((await store.head(key))?.size).toBe(size);
      expect(await sha256(store.read(key))).toBe(await sha256(manyBytes(size)));
    });

    test("names with spaces, dots, percent signs and umlauts keep their bytes", async () => {
      for (const key of ["odd/a b.txt", "odd/..x", "odd/50%25+1", "odd/größe", "odd/.hidden"]) {
        await store.write(key, chunksOf(key));
        expect((await collect(store.read(key))).toString()).toBe(key);
      }
      expect((await keysUnder("odd/")).length).toBe(5);
    });

    test("create-only refuses a key that exists and leaves the first object as it was", async () => {
      await store.write("once", chunksOf("first"), { createOnly: true });
      expect(await codeOf(store.write("once", chunksOf("second"), { createOnly: true }))).toBe("store_exists");
      expect((await collect(store.read("once"))).toString()).toBe("first");
      expect(await codeOf(store.write("once", manyBytes(9_000_000), { createOnly: true }))).toBe("store_exists");
      expect((await collect(store.read("once"))).toString()).toBe("first");
    });

    test("without create-only the later object replaces the earlier", async () => {
      await store.write("twice", chunksOf("first"));
      await store.write("twice", chunksOf("second"));
      expect((await collect(store.read("twice"))).toString()).toBe("second");
    });

    test.each([
      ["before the first byte", 0],
      ["in the first part", 1_000_000],
      ["after two parts", 17_000_000],
    ])("a source that fails %s leaves nothing behind", async (_, bytes) => {
      const failing = async function* () {
        yield* manyBytes(bytes);
        throw new Error("the source broke");
      };
      const key = `failed/${bytes}`;
      await expect(store.write(key, failing())).rejects.toThrow("the source broke");
      expect(await store.head(key)).toBe(null);
      expect(await keysUnder("failed/")).toEqual([]);
    });

    test("a source that fails does not touch the object that was there", async () => {
      await store.write("kept", chunksOf("old"));
      const failing = async function* () {
        yield Buffer.from("new");
        throw new Error("the source broke");
      };
      await expect(store.write("kept", failing())).rejects.toThrow("the source broke");
      expect((await collect(store.read("kept"))).toString()).toBe("old");
    });

    test("a listing shows what starts with the prefix, in key order", async () => {
      for (const key of ["list/b", "list/a/2", "list/a/1", "list/a-b", "list2/z", "list/c"]) {
        await store.write(key, chunksOf("x"));
      }
      expect(await keysUnder("list/")).toEqual(["list/a-b", "list/a/1", "list/a/2", "list/b", "list/c"]);
      expect(await keysUnder("list/a")).toEqual(["list/a-b", "list/a/1", "list/a/2"]);
      expect(await keysUnder("nothing/here/")).toEqual([]);
    });

    test("names under a prefix are listed once, in order, without what is in them", async () => {
      for (const key of [
        "folders/b/1",
        "folders/b/2",
        "folders/a/x",
        "folders/a/deep/er",
        "folders/file",
        "folders/a-b/x",
        "folders2/z/1",
      ])
        await store.write(key, chunksOf("x"));
      const names = async (prefix: string) => {
        const all: string[] = [];
        for await (const found of store.listFolders(prefix)) all.push(found);
        return all;
      };
      expect(await names("folders/")).toEqual(["a", "a-b", "b"]);
      expect(await names("folders/a/")).toEqual(["deep"]);
      expect(await names("folders/nothing/")).toEqual([]);
      await store.delete("folders/b/1");
      await store.delete("folders/b/2");
      expect(await names("folders/")).toEqual(["a", "a-b"]);
    });

    test("what is written to be synced later is there at once, and may be synced again", async () => {
      const keys = Array.from({ length: 20 }, (_, n) => `later/${n % 3}/${n}`);
      for (const key of keys) await store.write(key, chunksOf(key), { createOnly: true, syncLater: true });
      await store.sync(keys);
      await store.sync(keys.slice(0, 1));
      await store.sync([]);
      for (const key of keys) expect((await collect(store.read(key))).toString()).toBe(key);
    });

    test("an upload that was left behind is no object, is found, and goes when it is discarded", async ({ skip }) => {
      if (abandon === null) return skip("this store cannot tell");
      const unfinished = async (prefix: string) => {
        const all: UnfinishedUpload[] = [];
        for await (const found of store.unfinished(prefix)) all.push(found);
        return all;
      };
      const before = Date.now() - 60_000;
      await store.write("left/finished", manyBytes(9_000_000));
      await abandon("left/behind", 9_000_000);
      await abandon("left/behind", 9_000_000);
      expect(await store.head("left/behind")).toBe(null);
      expect(await keysUnder("left/")).toEqual(["left/finished"]);
      const found = await unfinished("left/");
      expect(found.length).toBe(2);
      for (const one of found) {
        expect(one.key).toMatch(/^left\//);
        expect(one.bytes).toBeGreaterThan(8_000_000);
        expect(one.active.getTime()).toBeGreaterThan(before);
        expect(one.active.getTime()).toBeLessThan(Date.now() + 60_000);
      }
      expect(await unfinished("left2/")).toEqual([]);
      await store.discard(found[0]!);
      await store.discard(found[0]!);
      expect(await unfinished("left/")).toEqual([found[1]]);
      await store.discard(found[1]!);
      expect(await unfinished("")).toEqual([]);
      expect(await sha256(store.read("left/finished"))).toBe(await sha256(manyBytes(9_000_000)));
    });

    test("a deleted object is gone, and deleting it again is fine", async () => {
      await store.write("gone", chunksOf("x"));
      await store.delete("gone");
      await store.delete("gone");
      expect(await store.head("gone")).toBe(null);
      expect(await codeOf(collect(store.read("gone")))).toBe("store_missing_object");
    });

    test("a missing object is null to head and an error to read", async () => {
      expect(await store.head("never/was")).toBe(null);
      expect(await codeOf(collect(store.read("never/was")))).toBe("store_missing_object");
    });

    test("reading may stop early", async () => {
      await store.write("long", manyBytes(9_000_000));
      for await (const chunk of store.read("long")) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await sha256(store.read("long"))).toBe(await sha256(manyBytes(9_000_000)));
    });

    describe("a range", () => {
      const size = 9_000_017;
      let whole: Buffer;
      beforeAll(async () => {
        await store.write("ranged", manyBytes(size));
        whole = await collect(manyBytes(size));
      });

      test.each([
        ["from the beginning", 0, 10],
        ["one byte", 4_242_424, 1],
        ["in the middle, across parts", 8_388_600, 400_000],
        ["to the end, with its length", size - 17, 17],
        ["to the end, without its length", size - 300_001, undefined],
        ["all of it", 0, undefined],
        ["all of it, with its length", 0, size],
      ])("%s is read byte for byte", async (_, offset, length) => {
        const found = await collect(store.read("ranged", length === undefined ? { offset } : { offset, length }));
        const wanted = whole.subarray(offset, length === undefined ? undefined : offset + length);
        expect(found.equals(wanted)).toBe(true);
      });

      test.each([
        ["at the beginning", 0, 0],
        ["in the middle", 12_345, 0],
        ["at the end", size, 0],
        ["at the end, without its length", size, undefined],
      ])("of no bytes %s is read as nothing", async (_, offset, length) => {
        expect((await collect(store.read("ranged", { offset, length }))).length).toBe(0);
      });

      test.each([
        ["that ends beyond the object", size - 1, 2],
        ["that begins beyond the object", size + 1, undefined],
        ["that lies beyond the object", size + 1, 10],
        ["of no bytes beyond the object", size + 1, 0],
        ["with a negative offset", -1, 1],
        ["with a negative length", 10, -1],
        ["with half a byte", 0.5, 1],
        ["with an absurd length", 1, Number.MAX_VALUE],
      ])("%s is refused, without a byte", async (_, offset, length) => {
        expect(await codeOf(collect(store.read("ranged", { offset, length })))).toBe("store_failed");
      });

      test("of an empty object is empty", async () => {
        await store.write("ranged-empty", chunksOf());
        expect((await collect(store.read("ranged-empty", { offset: 0 }))).length).toBe(0);
        expect((await collect(store.read("ranged-empty", { offset: 0, length: 0 }))).length).toBe(0);
        expect(await codeOf(collect(store.read("ranged-empty", { offset: 0, length: 1 })))).toBe("store_failed");
      });

      test("of a missing object is an error, even of no bytes", async () => {
        for (const range of [{ offset: 5 }, { offset: 0, length: 3 }, { offset: 0, length: 0 }])
          expect(await codeOf(collect(store.read("never/was", range)))).toBe("store_missing_object");
      });
    });

    test.each(["../up", "a/../b", "/absolute", "a//b", "", "a\\b", "a/\u0000"])("refuses the key %j", async (key) => {
      expect(await codeOf(store.write(key, chunksOf("x")))).toBe("store_failed");
      expect(
        await codeOf(
          collect(
            (async function* () {
              yield* store.read(key);
            })(),
          ),
        ),
      ).toBe("store_failed");
    });

    test("several writers of one create-only key: one wins, and its bytes stand", async () => {
      const writers = Array.from({ length: 4 }, (_, n) =>
        codeOf(store.write("race", chunksOf(`writer ${n} ${randomBytes(4).toString("hex")}`), { createOnly: true })),
      );
      const answers = await Promise.all(writers);
      expect(answers.filter((answer) => answer === "no error").length).toBeGreaterThanOrEqual(1);
      expect(answers.every((answer) => answer === "no error" || answer === "store_exists")).toBe(true);
      expect((await collect(store.read("race"))).toString()).toMatch(/^writer \d /);
    });
  });
}
