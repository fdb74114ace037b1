import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../shared/store/open.ts";
import { createS3Store } from "../../shared/store/s3.ts";
import { createS3Client } from "../../shared/store/s3-client.ts";
import { parseS3Url } from "../../shared/store/s3-place.ts";
import { startTestS3 } from "../support/s3.ts";
import { chunksOf, codeOf, collect, manyBytes, sha256, storeContract } from "./contract.ts";
import { type Fault, freePort, startFaultProxy } from "./fault-proxy.ts";

/** The one account that the test server knows. */
const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

const mebibyte = 1024 * 1024;

storeContract("a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
  return {
    store: openStore(pathToFileURL(folder).href),
    abandon: async (key, bytes) => {
      const name = `.belay-unfinished-${randomBytes(8).toString("hex")}`;
      await writeFile(join(folder, dirname(key), name), Buffer.alloc(bytes));
    },
    close: () => rm(folder, { recursive: true }),
  };
});

storeContract("an S3 server without If-None-Match", async () => {
  const server = await startTestS3({ bucket: "archives" });
  return {
    store: openStore(`s3://archives/some/prefix?endpoint=${server.endpoint}`, credentials),
    abandon: null,
    close: () => server.stop(),
  };
});

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
}

/** A store whose pauses between attempts are short. */
function openHasty(url: string, keys = credentials) {
  const place = parseS3Url(url);
  return createS3Store(createS3Client(place, keys, { connectMs: 10_000, silenceMs: 20_000, pauses: 0.05 }), place);
}

describe("an S3 store that misbehaves", () => {
  let server: Awaited<ReturnType<typeof startTestS3>>;
  beforeAll(async () => {
    server = await startTestS3({ bucket: "archives" });
  });
  afterAll(() => server.stop());

  async function through<T>(
    choose: Parameters<typeof startFaultProxy>[1],
    body: (url: string, seen: string[]) => Promise<T>,
  ): Promise<T> {
    const proxy = await startFaultProxy(server.endpoint, choose);
    try {
      return await body(`s3://archives?endpoint=${proxy.endpoint}`, proxy.seen);
    } finally {
      await proxy.close();
    }
  }
  const internal: Fault = { status: 500, code: "InternalError" };

  test("500 in the middle of an upload: store_failed, the upload aborted, nothing there", async () => {
    await through(
      ({ path }) => (path.includes("partNumber=2") ? internal : undefined),
      async (url, seen) => {
        const store = openHasty(url);
        expect(await codeOf(store.write("half", manyBytes(30 * mebibyte)))).toBe("store_failed");
        expect(await store.head("half")).toBe(null);
        expect(seen.some((line) => line.startsWith("DELETE /archives/half?uploadId="))).toBe(true);
        expect(seen.filter((line) => line.includes("partNumber=2")).length).toBe(6);
      },
    );
  });

  test.each<[string, Fault]>([
    ["500", internal],
    ["503 SlowDown", { status: 503, code: "SlowDown" }],
    ["429", { status: 429, code: "TooManyRequests" }],
    ["a connection that breaks", { reset: true }],
  ])("%s, twice, is tried again", async (_, fault) => {
    let failed = 0;
    await through(
      ({ path }) => (path.includes("partNumber=2") && failed++ < 2 ? fault : undefined),
      async (url) => {
        const store = openHasty(url);
        await store.write("mended", manyBytes(20 * mebibyte));
        expect(await sha256(store.read("mended"))).toBe(await sha256(manyBytes(20 * mebibyte)));
      },
    );
  });

  test("a complete that fails leaves nothing", async () => {
    await through(
      ({ method, path }) => (method === "POST" && path.includes("uploadId=") ? internal : undefined),
      async (url) => {
        const store = openHasty(url);
        expect(await codeOf(store.write("incomplete", manyBytes(9 * mebibyte)))).toBe("store_failed");
        expect(await store.head("incomplete")).toBe(null);
      },
    );
  });

  test("a complete that fails after it said 200 is tried again, or leaves nothing", async () => {
    let failed = 0;
    const late: Fault = { status: 200, code: "InternalError" };
    await through(
      ({ method, path }) => (method === "POST" && path.includes("uploadId=") && failed++ < 1 ? late : undefined),
      async (url) => {
        const store = openHasty(url);
        await store.write("late", manyBytes(9 * mebibyte));
        expect(await sha256(store.read("late"))).toBe(await sha256(manyBytes(9 * mebibyte)));
      },
    );
  });

  test("a store that knows no If-None-Match (501): looking first does it, in one request and in parts", async () => {
    const seen: string[] = [];
    await through(
      ({ method, path, headers }) => {
        if (headers["if-none-match"] === undefined) return undefined;
        seen.push(`${method} ${path}`);
        return { status: 501, code: "NotImplemented" };
      },
      async (url) => {
        const large = openHasty(url);
        await large.write("plain-large", manyBytes(9 * mebibyte), { createOnly: true });
        expect(await sha256(large.read("plain-large"))).toBe(await sha256(manyBytes(9 * mebibyte)));
        expect(await codeOf(large.write("plain-large", chunksOf("y"), { createOnly: true }))).toBe("store_exists");
        const store = openHasty(url);
        await store.write("plain", chunksOf("x"), { createOnly: true });
        await store.write("plain2", chunksOf("x"), { createOnly: true });
        expect(await codeOf(store.write("plain", chunksOf("y"), { createOnly: true }))).toBe("store_exists");
        // Each store learns it once.
        expect(seen.length).toBe(2);
      },
    );
  });

  test("a conditional write that met another one (409) is sent again", async () => {
    let failed = 0;
    await through(
      ({ method }) =>
        method === "PUT" && failed++ < 2 ? { status: 409, code: "ConditionalRequestConflict" } : undefined,
      async (url) => {
        await openHasty(url).write("conflict", chunksOf(Buffer.alloc(100_000)), { createOnly: true });
        expect(failed).toBe(3);
      },
    );
  });

  test("a store that refuses a taken key by itself is not asked before each object", async () => {
    await through(
      ({ method, headers, count }) =>
        method === "PUT" && headers["if-none-match"] === "*" && count > 2
          ? { status: 412, code: "PreconditionFailed" }
          : undefined,
      async (url, seen) => {
        const store = openHasty(url);
        await store.write("learn", chunksOf("x"), { createOnly: true });
        expect(seen.map((line) => line.slice(0, 4))).toEqual(["HEAD", "PUT ", "PUT "]);
        expect(await codeOf(store.write("learn", chunksOf("y"), { createOnly: true }))).toBe("store_exists");
        expect(seen.length).toBe(4);
        expect((await collect(store.read("learn"))).toString()).toBe("x");
      },
    );
  });

  test("a store that ignores If-None-Match is asked before each object, and keeps the first one's bytes", async () => {
    await through(
      () => undefined,
      async (url, seen) => {
        const store = openHasty(url);
        for (const key of ["ask1", "ask2", "ask3"]) await store.write(key, chunksOf(key), { createOnly: true });
        expect(seen.map((line) => line.slice(0, 4))).toEqual(["HEAD", "PUT ", "PUT ", "HEAD", "PUT ", "HEAD", "PUT "]);
        expect(await codeOf(store.write("ask2", chunksOf("y"), { createOnly: true }))).toBe("store_exists");
        expect((await collect(store.read("ask1"))).toString()).toBe("ask1");
      },
    );
  });

  test("another writer that came first while the parts were sent keeps the key", async () => {
    const direct = openHasty(`s3://archives?endpoint=${server.endpoint}`);
    const slow = async function* () {
      yield* manyBytes(9 * mebibyte);
      await direct.write("overtaken", chunksOf("first"));
    };
    expect(await codeOf(direct.write("overtaken", slow(), { createOnly: true }))).toBe("store_exists");
    expect((await collect(direct.read("overtaken"))).toString()).toBe("first");
  });

  test("a store that takes fewer parts: the error names the setting", async () => {
    await through(
      ({ path }) =>
        path.includes("partNumber=3") ? { status: 400, code: "InvalidArgument", message: "Part number" } : undefined,
      async (url) => {
        const error = await openHasty(url)
          .write("few", manyBytes(30 * mebibyte))
          .catch((reason) => reason);
        expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining("maxParts=1000") });
      },
    );
  });

  test("a table that outgrows every part: store_failed naming the setting, aborted; parts that grow carry it", async () => {
    const at = (settings: string) => openHasty(`s3://archives?endpoint=${server.endpoint}&${settings}`);
    const error = await at("maxParts=4&partMiB=5&uniformParts=true")
      .write("outgrown", manyBytes(30 * mebibyte))
      .catch((reason) => reason);
    expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining("partMiB") });
    expect(await at("").head("outgrown")).toBe(null);
    await at("maxParts=4&partMiB=5").write("grown", manyBytes(24 * mebibyte), { sizeHint: 10 });
    expect(await sha256(at("").read("grown"))).toBe(await sha256(manyBytes(24 * mebibyte)));
  });

  test("a store that does not lock what it should: store_failed that says so", async () => {
    const store = openHasty(`s3://archives?endpoint=${server.endpoint}&lock=GOVERNANCE&lockDays=1`);
    const error = await store.write("unlocked", chunksOf("x")).catch((reason) => reason);
    expect(error).toMatchObject({ code: "store_failed", message: expect.stringContaining("did not lock") });
  });

  test("half a list without a way to the rest is an error, not a short list", async () => {
    const body = `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>`;
    await through(
      () => ({ status: 200, body }),
      async (url) => {
        expect(await codeOf(firstOf(openHasty(url).list("")))).toBe("store_failed");
        expect(await codeOf(firstOf(openHasty(url).listFolders("")))).toBe("store_failed");
      },
    );
  });

  test("a list of several thousand objects is whole and in order, however the store pages it", async () => {
    const keys = Array.from({ length: 2_345 }, (_, n) => `k${(n * 7919) % 2_345}`);
    const page = (from: number) => {
      const some = keys.slice(from, from + 1_000);
      const next = from + 1_000 < keys.length ? `<NextContinuationToken>${from + 1_000}</NextContinuationToken>` : "";
      const contents = some.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("");
      return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== ""}</IsTruncated>${next}${contents}</ListBucketResult>`;
    };
    await through(
      ({ path }) => ({ status: 200, body: page(Number(/continuation-token=(\d+)/.exec(path)?.[1] ?? 0)) }),
      async (url) => {
        const found: string[] = [];
        for await (const { key } of openHasty(url).list("")) found.push(key);
        expect(found).toEqual([...keys].sort());
      },
    );
  });

  test("a store that cannot tell of unfinished uploads says so, with what to do instead", async () => {
    const error = await firstOf(openHasty(`s3://archives?endpoint=${server.endpoint}`).unfinished("")).catch(
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining("lifecycle rule") });
  });

  test("a refusal to delete a locked object: store_denied with the date", async () => {
    const direct = openHasty(`s3://archives?endpoint=${server.endpoint}`);
    await direct.write("held", chunksOf("x"));
    await through(
      ({ method }) => {
        if (method === "DELETE") return { status: 403, code: "AccessDenied" };
        return method === "HEAD"
          ? { status: 200, headers: { "x-amz-object-lock-retain-until-date": "2031-05-06T07:08:09Z" } }
          : undefined;
      },
      async (url) => {
        const error = await openHasty(url)
          .delete("held")
          .catch((reason) => reason);
        expect(error).toMatchObject({
          code: "store_denied",
          message: expect.stringContaining("locked until 2031-05-06T07:08:09"),
        });
      },
    );
  });

  test("a store that turns full after a while stops the source", async () => {
    let taken = 0;
    const source = async function* () {
      for await (const chunk of manyBytes(200 * mebibyte)) {
        taken += chunk.length;
        yield chunk;
      }
    };
    await through(
      ({ path }) => (path.includes("partNumber=") ? { status: 403, code: "QuotaExceeded" } : undefined),
      async (url) => {
        expect(await codeOf(openHasty(url).write("full", source()))).toBe("store_denied");
      },
    );
    expect(taken).toBeLessThan(60 * mebibyte);
  });

  test("403: store_denied", async () => {
    await through(
      () => ({ status: 403, code: "AccessDenied" }),
      async (url) => {
        const store = openHasty(url);
        expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_denied");
        expect(await codeOf(collect(store.read("x")))).toBe("store_denied");
        expect(await codeOf(store.head("x"))).toBe("store_denied");
        expect(await codeOf(firstOf(store.list("")))).toBe("store_denied");
      },
    );
  });

  test.each([
    [413, "EntityTooLarge", "store_failed", "limits the size of a file"],
    [403, "RequestTimeTooSkewed", "store_denied", "clock"],
    [400, "ExpiredToken", "store_denied", "have run out"],
    [503, "SlowDown", "store_failed", "quieter hour"],
  ])("%s %s says what to do", async (status, code, error, hint) => {
    await through(
      ({ method }) => (method === "PUT" ? { status, code } : undefined),
      async (url) => {
        const failure = await openHasty(url)
          .write("x", chunksOf("x"))
          .catch((reason) => reason);
        expect(failure).toMatchObject({ code: error, hint: expect.stringContaining(hint) });
      },
    );
  });

  test("an unknown access key: store_denied", async () => {
    const store = openHasty(`s3://archives?endpoint=${server.endpoint}`, {
      accessKeyId: "NOBODY",
      secretAccessKey: "wrong",
    });
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_denied");
  });

  test("a missing bucket: store_missing_bucket, naming it", async () => {
    const store = openHasty(`s3://absent?endpoint=${server.endpoint}`);
    expect(await codeOf(store.write("x", chunksOf("x"), { createOnly: true }))).toBe("store_missing_bucket");
    expect(await codeOf(collect(store.read("x")))).toBe("store_missing_bucket");
    expect(await codeOf(store.write("x", manyBytes(9 * mebibyte)))).toBe("store_missing_bucket");
    await expect(firstOf(store.list(""))).rejects.toThrow(/the bucket absent does not exist/);
  });

  test("nothing listens: store_unreachable", async () => {
    const store = openHasty(`s3://archives?endpoint=http://127.0.0.1:${await freePort()}`);
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_unreachable");
    expect(await codeOf(collect(store.read("x")))).toBe("store_unreachable");
  });

  test("a download cut once goes on where it stopped", async () => {
    const size = 12 * mebibyte;
    await openHasty(`s3://archives?endpoint=${server.endpoint}`).write("cut", manyBytes(size));
    let cuts = 0;
    await through(
      ({ method }) => (method === "GET" && cuts++ < 2 ? { cutAfter: 3 * mebibyte } : undefined),
      async (url) => {
        expect(await sha256(openHasty(url).read("cut"))).toBe(await sha256(manyBytes(size)));
        expect(cuts).toBe(3);
      },
    );
  });

  test("a range cut once goes on where it stopped, and ends where it should", async () => {
    const size = 12 * mebibyte;
    await openHasty(`s3://archives?endpoint=${server.endpoint}`).write("cut-range", manyBytes(size));
    const whole = await collect(manyBytes(size));
    let cuts = 0;
    await through(
      ({ method }) => (method === "GET" && cuts++ < 2 ? { cutAfter: mebibyte } : undefined),
      async (url) => {
        const found = await collect(openHasty(url).read("cut-range", { offset: 1000, length: 5_000_000 }));
        expect(found.equals(whole.subarray(1000, 5_001_000))).toBe(true);
        expect(cuts).toBe(3);
      },
    );
  });

  test("an object that was replaced while its download was cut is an error, not half of each", async () => {
    const size = 4 * mebibyte;
    await openHasty(`s3://archives?endpoint=${server.endpoint}`).write("replaced", manyBytes(size));
    let gets = 0;
    await through(
      ({ method, headers }) => {
        if (method !== "GET") return undefined;
        if (gets++ === 0) return { cutAfter: mebibyte };
        // As a store answers that does not look at If-Match.
        const from = Number(/bytes=(\d+)-/.exec(headers.range!)![1]);
        const told = { etag: '"another"', "content-range": `bytes ${from}-${size - 1}/${size}` };
        return { status: 206, headers: told, body: "x".repeat(size - from) };
      },
      async (url) => {
        expect(await codeOf(collect(openHasty(url).read("replaced")))).toBe("store_failed");
        expect(gets).toBe(2);
      },
    );
  });

  test("a download cut again and again without progress ends in store_failed", async () => {
    let first = true;
    await through(
      ({ method }) => {
        if (method !== "GET") return undefined;
        const fault = { cutAfter: first ? 100_000 : 0 };
        first = false;
        return fault;
      },
      async (url) => {
        const store = openHasty(url);
        await store.write("cutter", manyBytes(600_000));
        expect(await codeOf(collect(store.read("cutter")))).toBe("store_failed");
      },
    );
  }, 120_000);
});

describe("an S3 server that takes connections and says nothing", () => {
  test("store_unreachable after four silent tries", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const place = parseS3Url(`s3://archives?endpoint=http://127.0.0.1:${port}`);
    const store = createS3Store(
      createS3Client(place, credentials, { connectMs: 500, silenceMs: 150, pauses: 0.05 }),
      place,
    );
    expect(await codeOf(store.head("x"))).toBe("store_unreachable");
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_unreachable");
    expect(await codeOf(collect(store.read("x")))).toBe("store_unreachable");
    expect(await codeOf(firstOf(store.list("")))).toBe("store_unreachable");
    silent.close();
  }, 60_000);
});

describe("a folder that misbehaves", () => {
  test("a symbolic link that leads out of it is neither listed, read, written through nor deleted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    const outside = await mkdtemp(join(tmpdir(), "belay-outside-"));
    await writeFile(join(outside, "secret"), "secret");
    await symlink(outside, join(folder, "away"));
    await symlink(join(outside, "secret"), join(folder, "file"));
    await mkdir(join(folder, "in"));
    await writeFile(join(folder, "in", "x"), "inside");
    await symlink(join(folder, "in"), join(folder, "within"));
    const store = openStore(pathToFileURL(folder).href);
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    expect(keys).toEqual(["in/x"]);
    for (const key of ["away/secret", "file"]) {
      expect(await codeOf(collect(store.read(key)))).toBe("store_denied");
      expect(await codeOf(store.head(key))).toBe("store_denied");
      expect(await codeOf(store.delete(key))).toBe("store_denied");
    }
    expect(await codeOf(store.write("away/new/deep", chunksOf("x")))).toBe("store_denied");
    expect((await collect(store.read("within/x"))).toString()).toBe("inside");
    expect(await readdir(outside)).toEqual(["secret"]);
    await rm(folder, { recursive: true });
    await rm(outside, { recursive: true });
  });

  test("a store that is itself reached by a symbolic link works", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    await mkdir(join(folder, "real"));
    await symlink(join(folder, "real"), join(folder, "link"));
    const store = openStore(pathToFileURL(join(folder, "link")).href);
    await store.write("a/b", chunksOf("x"), { createOnly: true });
    expect((await collect(store.read("a/b"))).toString()).toBe("x");
    await rm(folder, { recursive: true });
  });

  test("folders go with their last object, while others write into them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    const store = openStore(pathToFileURL(folder).href);
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; n < 25; n += 1) {
          const key = `a/${n % 3}/${writer}`;
          await store.write(key, chunksOf("x"));
          await store.delete(key);
        }
      }),
    );
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test("an interrupted write leaves no file in the folder, not even a temporary one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    const store = openStore(pathToFileURL(folder).href);
    const failing = async function* () {
      yield Buffer.from("x");
      throw new Error("the source broke");
    };
    await expect(store.write("x", failing())).rejects.toThrow("the source broke");
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test.skipIf(process.getuid?.() === 0)("a folder that may not be written: store_denied", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    await chmod(folder, 0o500);
    expect(await codeOf(openStore(pathToFileURL(folder).href).write("x", chunksOf("x")))).toBe("store_denied");
    await rm(folder, { recursive: true });
  });

  test.skipIf(!existsSync("/proc/self"))(
    "a folder that cannot be made: store_failed at once",
    async () => {
      const error = await openStore("file:///proc/nope/deeper")
        .write("x", chunksOf("x"))
        .catch((reason) => reason);
      expect(error).toMatchObject({
        code: "store_failed",
        hint: expect.stringContaining("No folder can be made there"),
      });
    },
    10_000,
  );

  test("a folder several levels deep is made, by three writers at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    const store = openStore(pathToFileURL(join(folder, "a", "b", "c")).href);
    await Promise.all(["x", "y", "d/e/z"].map((key) => store.write(key, chunksOf("x"))));
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    expect(keys).toEqual(["d/e/z", "x", "y"]);
    await rm(folder, { recursive: true });
  });

  test("a full disk: store_failed that says so, and no half file; read-only: store_denied (skipped unless root may mount)", async ({
    skip,
  }) => {
    const folder = await mkdtemp(join(tmpdir(), "belay-full-"));
    const run = promisify(execFile);
    try {
      await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
    } catch {
      await rm(folder, { recursive: true });
      return skip("a small file system cannot be mounted here");
    }
    try {
      const store = openStore(pathToFileURL(folder).href);
      const error = await store.write("big", manyBytes(3 * mebibyte)).catch((reason) => reason);
      expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining("disk is full") });
      expect(await readdir(folder)).toEqual([]);
      await store.write("small", chunksOf("x"));
      const small = async () => {
        for (let n = 0; n < 100; n += 1)
          await store.write(`s/${n}`, chunksOf(Buffer.alloc(30_000)), { syncLater: true });
      };
      expect(await codeOf(small())).toBe("store_failed");
      for (const name of await readdir(join(folder, "s"))) {
        expect(name).toMatch(/^\d+$/);
        expect((await store.head(`s/${name}`))?.size).toBe(30_000);
      }
      await run("mount", ["-o", "remount,ro", folder]);
      expect(await codeOf(store.write("more", chunksOf("x")))).toBe("store_denied");
      expect(await codeOf(store.write("more", chunksOf("x"), { syncLater: true }))).toBe("store_denied");
      expect(await codeOf(store.delete("small"))).toBe("store_denied");
    } finally {
      await run("umount", [folder]);
      await rm(folder, { recursive: true });
    }
  });

  test("a file where the folder should be: store_failed, naming the place", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-store-"));
    await openStore(pathToFileURL(folder).href).write("file", chunksOf("x"));
    const store = openStore(pathToFileURL(join(folder, "file")).href);
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_failed");
    await rm(folder, { recursive: true });
  });
});
