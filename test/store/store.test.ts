import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../shared/store/open.ts";
import { partSize } from "../../shared/store/parts.ts";
import { createS3Store } from "../../shared/store/s3.ts";
import { createS3Client, parseS3Url } from "../../shared/store/s3-client.ts";
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
    close: () => rm(folder, { recursive: true }),
  };
});

storeContract("an S3 server without If-None-Match", async () => {
  const server = await startTestS3({ bucket: "archives" });
  return {
    store: openStore(`s3://archives/some/prefix?endpoint=${server.endpoint}`, credentials),
    close: () => server.stop(),
  };
});

const realServer = join(import.meta.dirname, "../../../shared/tools/s3-real.sh");
if (process.env.BELAY_TEST_S3_REAL === "1" && existsSync(realServer)) {
  storeContract("a Ceph object gateway", () => openRealStore("archives"));
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
}

async function openRealStore(bucket: string) {
  const run = promisify(execFile);
  const folder = await mkdtemp(join(tmpdir(), "belay-ceph-"));
  await run(realServer, ["start", folder, String(await freePort())]);
  const { stdout } = await run(realServer, ["env", folder]);
  const values = Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s)),
  );
  const credentials = { accessKeyId: values.AWS_ACCESS_KEY_ID, secretAccessKey: values.AWS_SECRET_ACCESS_KEY };
  const { CreateBucketCommand } = await import("@aws-sdk/client-s3");
  const { createS3Client, parseS3Url } = await import("../../shared/store/s3-client.ts");
  const url = `s3://${bucket}/prefix?endpoint=${values.AWS_ENDPOINT_URL_S3}`;
  await createS3Client(parseS3Url(url), credentials).send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    store: openStore(url, credentials),
    close: async () => {
      await run(realServer, ["stop", folder]);
      await rm(folder, { recursive: true });
    },
  };
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
        const store = openStore(url, credentials);
        expect(await codeOf(store.write("half", manyBytes(30 * mebibyte)))).toBe("store_failed");
        expect(await store.head("half")).toBe(null);
        expect(seen.some((line) => line.startsWith("DELETE /archives/half?uploadId="))).toBe(true);
        expect(seen.filter((line) => line.includes("partNumber=2")).length).toBe(4);
      },
    );
  });

  test("500 once is tried again", async () => {
    let failed = 0;
    await through(
      ({ path }) => (path.includes("partNumber=2") && failed++ === 0 ? internal : undefined),
      async (url) => {
        const store = openStore(url, credentials);
        await store.write("mended", manyBytes(20 * mebibyte));
        expect(await sha256(store.read("mended"))).toBe(await sha256(manyBytes(20 * mebibyte)));
      },
    );
  });

  test("a complete that fails leaves nothing", async () => {
    await through(
      ({ method, path }) => (method === "POST" && path.includes("uploadId=") ? internal : undefined),
      async (url) => {
        const store = openStore(url, credentials);
        expect(await codeOf(store.write("incomplete", manyBytes(9 * mebibyte)))).toBe("store_failed");
        expect(await store.head("incomplete")).toBe(null);
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
        expect(await codeOf(openStore(url, credentials).write("full", source()))).toBe("store_denied");
      },
    );
    expect(taken).toBeLessThan(60 * mebibyte);
  });

  test("403: store_denied", async () => {
    await through(
      () => ({ status: 403, code: "AccessDenied" }),
      async (url) => {
        const store = openStore(url, credentials);
        expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_denied");
        expect(await codeOf(collect(store.read("x")))).toBe("store_denied");
        expect(await codeOf(store.head("x"))).toBe("store_denied");
        expect(await codeOf(firstOf(store.list("")))).toBe("store_denied");
      },
    );
  });

  test("an unknown access key: store_denied", async () => {
    const store = openStore(`s3://archives?endpoint=${server.endpoint}`, {
      accessKeyId: "NOBODY",
      secretAccessKey: "wrong",
    });
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_denied");
  });

  test("a missing bucket: store_missing_bucket, naming it", async () => {
    const store = openStore(`s3://absent?endpoint=${server.endpoint}`, credentials);
    expect(await codeOf(store.write("x", chunksOf("x"), { createOnly: true }))).toBe("store_missing_bucket");
    expect(await codeOf(collect(store.read("x")))).toBe("store_missing_bucket");
    expect(await codeOf(store.write("x", manyBytes(9 * mebibyte)))).toBe("store_missing_bucket");
    await expect(firstOf(store.list(""))).rejects.toThrow(/the bucket absent does not exist/);
  });

  test("nothing listens: store_unreachable", async () => {
    const store = openStore(`s3://archives?endpoint=http://127.0.0.1:${await freePort()}`, credentials);
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_unreachable");
    expect(await codeOf(collect(store.read("x")))).toBe("store_unreachable");
  });

  test("a download cut once goes on where it stopped", async () => {
    const size = 12 * mebibyte;
    await openStore(`s3://archives?endpoint=${server.endpoint}`, credentials).write("cut", manyBytes(size));
    let cuts = 0;
    await through(
      ({ method }) => (method === "GET" && cuts++ < 2 ? { cutAfter: 3 * mebibyte } : undefined),
      async (url) => {
        expect(await sha256(openStore(url, credentials).read("cut"))).toBe(await sha256(manyBytes(size)));
        expect(cuts).toBe(3);
      },
    );
  });

  test("a range cut once goes on where it stopped, and ends where it should", async () => {
    const size = 12 * mebibyte;
    await openStore(`s3://archives?endpoint=${server.endpoint}`, credentials).write("cut-range", manyBytes(size));
    const whole = await collect(manyBytes(size));
    let cuts = 0;
    await through(
      ({ method }) => (method === "GET" && cuts++ < 2 ? { cutAfter: mebibyte } : undefined),
      async (url) => {
        const found = await collect(openStore(url, credentials).read("cut-range", { offset: 1000, length: 5_000_000 }));
        expect(found.equals(whole.subarray(1000, 5_001_000))).toBe(true);
        expect(cuts).toBe(3);
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
        const store = openStore(url, credentials);
        await store.write("cutter", manyBytes(5 * mebibyte));
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
    const store = createS3Store(createS3Client(place, credentials, { connectMs: 500, silenceMs: 300 }), place);
    expect(await codeOf(store.head("x"))).toBe("store_unreachable");
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_unreachable");
    expect(await codeOf(collect(store.read("x")))).toBe("store_unreachable");
    expect(await codeOf(firstOf(store.list("")))).toBe("store_unreachable");
    silent.close();
  }, 60_000);
});

describe("a folder that misbehaves", () => {
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

  test("a full disk: store_failed that says so, and no half file (skipped unless root may mount)", async ({ skip }) => {
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

describe("a store's URL", () => {
  test.each([
    ["s3://key:secret@bucket/x", "usage"],
    ["s3://bucket/x?endpoint=http://user:pass@host", "usage"],
    ["s3://bucket/x?endpoint=nonsense", "usage"],
    ["https://bucket/x", "usage"],
    ["nonsense", "usage"],
  ])("%s is refused", async (url, code) => {
    expect(await codeOf((async () => openStore(url, credentials))())).toBe(code);
  });

  test("S3 without credentials says which variables to set", () => {
    expect(() => openStore("s3://bucket/x")).toThrow(/no credentials for the bucket bucket/);
  });

  test("the place shown holds no credentials", () => {
    const store = openStore("s3://bucket/deep/prefix/?endpoint=http://127.0.0.1:9000&region=eu-west-1", {
      accessKeyId: "KEY",
      secretAccessKey: "SECRET",
    });
    expect(store.url).toBe("s3://bucket/deep/prefix?endpoint=http://127.0.0.1:9000&region=eu-west-1");
  });
});

describe("the part size", () => {
  test.each([
    [undefined, 8],
    [0, 8],
    [7_000 * mebibyte, 8],
    [30_000 * mebibyte, 34],
    [200_000 * mebibyte, 64],
    [1_000_000 * mebibyte, 112],
  ])("for %s expected bytes is %s MiB", (hint, size) => {
    expect(partSize(hint)).toBe(size * mebibyte);
  });
});
