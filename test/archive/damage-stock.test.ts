import { join } from "node:path";
import { gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { verifyFound } from "../../shared/archive/verify/any.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { dataEntries, foundIn, hasSamples, inMemory, openIn, stockSamples } from "./stock.ts";

describe.skipIf(!hasSamples)(hasSamples ? "a stock archive that was damaged" : "damage (skipped: no samples)", () => {
  let store: MemoryStore;
  let child: string;
  let parent: string;
  const verify = () => verifyFound(foundIn(store));
  const problems = async () => (await verify()).problems.join("\n");
  const change = (key: string, how: (bytes: Buffer) => Uint8Array) => {
    store.objects.set(key, Buffer.from(how(Buffer.from(store.objects.get(key)!))));
  };
  const rows = (key: string, how: (text: string) => string | Uint8Array) =>
    change(key, (bytes) => gzipSync(how(gunzipSync(bytes).toString())));

  describe("in directory format", () => {
    beforeEach(async () => {
      store = await inMemory(join(stockSamples, "pg15.dir"));
      const entries = dataEntries(await openIn(store));
      const fileOf = (tag: string) => `a/${entries.find((entry) => entry.tag === tag)!.file}.gz`;
      child = fileOf("child");
      parent = fileOf("parent");
    });

    test("undamaged it has no problem", async () => {
      expect(await verify()).toMatchObject({ problems: [], notes: [], rows: 2005 });
    });

    test("1. one bit flipped in a data file", async () => {
      change(child, (bytes) => {
        bytes[bytes.length >> 1]! ^= 4;
        return bytes;
      });
      expect(await problems()).toMatch(/TABLE DATA app\.child.*does not decompress/);
    });

    test.each([0.1, 0.5, 0.99])("2. a data file cut to %f", async (part) => {
      change(child, (bytes) => bytes.subarray(0, Math.floor(bytes.length * part)));
      expect(await problems()).toMatch(/app\.child/);
    });

    test("3. a data file that is gone, and one that is empty", async () => {
      store.objects.delete(child);
      store.objects.set(parent, Buffer.alloc(0));
      expect(await problems()).toMatch(/\d+\.dat, the data of app\.child, is not in/);
      expect(await problems()).toMatch(/app\.parent: \d+\.dat\.gz does not end as a data file does/);
    });

    test("4. a row with a column too many, or too few", async () => {
      rows(child, (text) => text.replace("\tn777\n", "\tn777\tmore\n").replace("\tn778\n", "\n"));
      expect(await problems()).toMatch(/app\.child: row 777 has 4 columns instead of 3, and 1 more rows/);
    });

    test("5. the end marker taken off, or put between the rows", async () => {
      rows(child, (text) => text.slice(0, -5));
      rows(parent, (text) => text.replace("2\ttab", "\\.\n2\ttab"));
      expect(await problems()).toMatch(/app\.child: \d+\.dat\.gz does not end/);
      expect(await problems()).toMatch(/app\.parent: \d+\.dat\.gz has rows behind its end marker/);
    });

    test("6. line ends changed on the way", async () => {
      rows(child, (text) => text.slice(0, -5).replaceAll("\n", "\r\n") + text.slice(-5));
      expect(await verify()).toMatchObject({ problems: [expect.stringContaining("carriage return in row 1")] });
    });

    test("7. bytes that are not of the archive's encoding", async () => {
      rows(parent, (text) => Buffer.from(text, "latin1"));
      expect(await problems()).toMatch(/app\.parent is not UTF-8/);
    });

    test("8. bytes of zero, as a crashed disk leaves them", async () => {
      rows(child, (text) => text.replace("n1999", "\0\0\0\0\0"));
      expect(await problems()).toMatch(/NUL byte in row 1999/);
    });

    test("9. a large object that is gone, cut, or not in the list, and a list that is gone", async () => {
      const whole = store;
      for (const [spoil, says] of [
        [() => store.objects.delete("a/blob_16999.dat.gz"), /large object 16999, is not in/],
        [() => change("a/blob_16999.dat.gz", (bytes) => bytes.subarray(0, 12)), /blob_16999\.dat\.gz/],
        [
          () => change("a/blobs.toc", (bytes) => bytes.subarray(bytes.indexOf("\n") + 1)),
          /content of large objects is missing: 16999/,
        ],
        [() => change("a/blobs.toc", (bytes) => Buffer.concat([bytes, bytes])), /16999 twice/],
        [() => store.objects.delete("a/blobs.toc"), /list of large objects, is not in/],
      ] as const) {
        store = memoryStore(whole.objects);
        spoil();
        expect(await problems()).toMatch(says);
      }
    });

    test("10. toc.dat cut, or of a custom-format archive, or gone", async () => {
      const whole = store;
      change("a/toc.dat", (bytes) => bytes.subarray(0, -40));
      expect(await problems()).toMatch(/ends inside entry/);
      store = memoryStore(whole.objects);
      change("a/toc.dat", (bytes) => bytes.fill(1, 10, 11));
      expect(await problems()).not.toBe("");
      store = memoryStore([[child, whole.objects.get(child)!]]);
      await expect(verify()).rejects.toMatchObject({ code: "unknown_archive" });
    });

    test("11. files of another dump in the folder are noted, and are no problem", async () => {
      store.objects.set("a/9999.dat.gz", gzipSync("1\n\\.\n\n\n"));
      expect(await verify()).toMatchObject({
        problems: [],
        notes: [expect.stringContaining("no entry uses 9999.dat.gz")],
      });
    });

    test("12. damage in one table does not hide that in another", async () => {
      for (const key of [child, parent]) change(key, (bytes) => bytes.subarray(0, 40));
      expect((await verify()).problems).toHaveLength(2);
    });
  });

  describe("in custom format", () => {
    beforeEach(async () => {
      store = await inMemory(join(stockSamples, "pg15.custom"));
    });
    const positionOf = async (tag: string) => {
      const entry = dataEntries(await openIn(store)).find((one) => one.tag === tag)!;
      return Number((entry.offset as { position: bigint }).position);
    };

    test("13. one bit flipped in each block is found in that block", async () => {
      const whole = store;
      for (const [tag, at] of [
        ["child", 3000],
        ["parent", 40],
        ["part1", 14],
        ["BLOBS", 20],
      ] as const) {
        store = memoryStore(whole.objects);
        store.objects.get("a")![(await positionOf(tag)) + at]! ^= 2;
        expect(await problems()).toContain(tag);
      }
    });

    test.each([1, 6, 100, 5000])("14. the last %i bytes cut off", async (bytes) => {
      change("a", (all) => all.subarray(0, -bytes));
      expect(await problems()).not.toBe("");
    });

    test("15. two blocks exchanged", async () => {
      const [first, second] = [await positionOf("emptyt"), await positionOf("nocols")];
      change("a", (all) => {
        all.writeUInt8(all[second + 2]!, first + 2);
        return all;
      });
      expect(await problems()).toMatch(/another block at byte \d+ than that of TABLE DATA emptyt/);
    });

    test("16. a piece whose length is a byte off", async () => {
      const at = (await positionOf("parent")) + 7;
      change("a", (all) => all.fill(all[at]! - 1, at, at + 1));
      expect(await problems()).toContain("parent");
    });

    test("its rows are zlib streams as the format says", async () => {
      const at = (await positionOf("part1")) + 6;
      const bytes = store.objects.get("a")!;
      expect(inflateSync(bytes.subarray(at + 5, at + 5 + bytes.readUInt32LE(at + 1))).toString()).toBe(
        "1\tx\n\\.\n\n\n",
      );
    });
  });
});

describe("a plain script that was damaged", () => {
  const script = [
    "--\n-- PostgreSQL database dump\n--\n",
    "SET client_encoding = 'UTF8';",
    "CREATE TABLE public.t (i integer, note text);",
    "COPY public.t (i, note) FROM stdin;",
    "1\tone\n2\ttwo\n\\.\n",
    "ALTER TABLE public.t OWNER TO a;\n",
    "--\n-- PostgreSQL database dump complete\n--\n",
  ].join("\n");
  const verify = (text: string | Uint8Array) => verifyFound(foundIn(memoryStore([["a", Buffer.from(text)]])));

  test("undamaged it has no problem", async () => {
    expect(await verify(script)).toMatchObject({ problems: [], notes: [], tables: 1, rows: 2 });
    expect(await verify(gzipSync(script))).toMatchObject({ problems: [], rows: 2 });
  });

  test.each([
    ["17. its last words are missing", script.slice(0, -60), /does not end with pg_dump's words/],
    ["18. it ends within the rows", script.slice(0, script.indexOf("2\ttwo")), /./],
    ["19. it ends within a statement", script.slice(0, script.indexOf("OWNER")), /./],
    ["20. a row lost a column", script.replace("2\ttwo", "2"), /row 2 has 1 columns instead of 2/],
    ["21. a byte of zero", script.replace("two", "t\0o"), /NUL byte/],
    ["22. its compressed file is cut", gzipSync(script).subarray(0, -12), /./],
  ])("%s", async (_, text, says) => {
    expect((await verify(text)).problems.join()).toMatch(says);
  });

  test("a script that pg_dump did not write says so: nothing in it tells that it is whole", async () => {
    expect(await verify("SELECT 1;\n")).toMatchObject({
      problems: [],
      notes: [expect.stringContaining("not written by pg_dump")],
    });
  });
});
