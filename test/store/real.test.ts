import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectVersionsCommand,
  PutObjectLegalHoldCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../shared/store/open.ts";
import { createS3Client } from "../../shared/store/s3-client.ts";
import { parseS3Url } from "../../shared/store/s3-place.ts";
import { chunksOf, codeOf, collect, manyBytes, sha256, storeContract } from "./contract.ts";
import { freePort, startFaultProxy } from "./fault-proxy.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../../shared/tools/s3-real.sh");
const wanted = process.env.BELAY_TEST_S3_REAL === "1" && existsSync(script);

interface Real {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

async function startReal(): Promise<Real> {
  const folder = await mkdtemp(join(tmpdir(), "belay-ceph-"));
  await run(script, ["start", folder, String(await freePort())]);
  const { stdout } = await run(script, ["env", folder]);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)![1]!;
  return {
    endpoint: value("AWS_ENDPOINT_URL_S3"),
    credentials: { accessKeyId: value("AWS_ACCESS_KEY_ID"), secretAccessKey: value("AWS_SECRET_ACCESS_KEY") },
    stop: async () => {
      await run(script, ["stop", folder]);
      await rm(folder, { recursive: true });
    },
  };
}

// BELAY_TEST_S3_REAL=1 runs this on a Ceph object gateway: slow to start, and not part of a clone.
describe.skipIf(!wanted)("on a real S3 server", () => {
  let real: Real;
  beforeAll(async () => {
    real = await startReal();
  });
  afterAll(() => real?.stop());

  const clientAt = (url: string) => createS3Client(parseS3Url(url), real.credentials);

  async function bucketUrl(bucket: string, settings = "", objectLock = false): Promise<string> {
    const url = `s3://${bucket}/prefix?endpoint=${real.endpoint}${settings}`;
    await clientAt(url).send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: objectLock }));
    return url;
  }

  storeContract("a Ceph object gateway", async () => {
    const url = await bucketUrl("archives");
    return {
      store: openStore(url, real.credentials),
      abandon: async (key, bytes) => {
        const client = clientAt(url);
        const at = { Bucket: "archives", Key: `prefix/${key}` };
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
        await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: Buffer.alloc(bytes) }));
      },
      close: async () => {},
    };
  });

  test.each(["md5", "sha256", "signed"])(
    "checksum=%s: what is written is read back, large and small",
    async (checksum) => {
      const store = openStore(await bucketUrl(`sum-${checksum}`, `&checksum=${checksum}`), real.credentials);
      await store.write("small", chunksOf("hello"), { createOnly: true });
      await store.write("large", manyBytes(20_000_000), { createOnly: true });
      expect((await collect(store.read("small"))).toString()).toBe("hello");
      expect(await sha256(store.read("large"))).toBe(await sha256(manyBytes(20_000_000)));
    },
  );

  test.each(["md5", "signed"])(
    "checksum=%s: a body that is changed on its way is refused by the store, and nothing is there",
    async (checksum) => {
      const url = await bucketUrl(`flipped-${checksum}`, `&checksum=${checksum}`);
      const proxy = await startFaultProxy(real.endpoint, ({ method }) =>
        method === "PUT" ? { flip: true } : undefined,
      );
      const through = openStore(url.replace(real.endpoint, proxy.endpoint), real.credentials);
      expect(await codeOf(through.write("x", manyBytes(100_000)))).not.toBe("no error");
      expect(await codeOf(through.write("y", manyBytes(9_000_000)))).not.toBe("no error");
      await proxy.close();
      const store = openStore(url, real.credentials);
      expect(await store.head("x")).toBe(null);
      expect(await store.head("y")).toBe(null);
    },
  );

  test("storageClass=STANDARD is taken; what the store does not have is refused, and the error says where to look", async () => {
    const store = openStore(await bucketUrl("class", "&storageClass=STANDARD"), real.credentials);
    await store.write("x", chunksOf("x"));
    expect((await collect(store.read("x"))).toString()).toBe("x");
    for (const setting of ["sse=AES256", "storageClass=NOPE"]) {
      const other = openStore(await bucketUrl(`class-${setting.length}`, `&${setting}`), real.credentials);
      const error = await other.write("x", chunksOf("x")).catch((reason) => reason);
      expect(error).toMatchObject({ code: "store_failed", hint: expect.stringContaining("sse, storageClass") });
    }
  });

  test("lock=GOVERNANCE: objects are locked, deleting hides them and keeps the version", async () => {
    const url = await bucketUrl("locked", "&lock=GOVERNANCE&lockDays=2", true);
    const store = openStore(url, real.credentials);
    await store.write("small", chunksOf("x"), { createOnly: true });
    await store.write("large", manyBytes(9_000_000), { createOnly: true });
    for (const key of ["small", "large"]) {
      const until = (await store.head(key))?.lock?.until?.getTime();
      expect(until).toBeGreaterThan(Date.now() + 1.9 * 86_400_000);
      expect(until).toBeLessThan(Date.now() + 2.1 * 86_400_000);
    }
    await store.delete("small");
    expect(await store.head("small")).toBe(null);
    const { Versions } = await clientAt(url).send(
      new ListObjectVersionsCommand({ Bucket: "locked", Prefix: "prefix/small" }),
    );
    expect(Versions?.length).toBe(1);
  });

  test("a legal hold shows", async () => {
    const url = await bucketUrl("held", "", true);
    const store = openStore(url, real.credentials);
    await store.write("x", chunksOf("x"));
    expect((await store.head("x"))?.lock).toBe(undefined);
    await clientAt(url).send(
      new PutObjectLegalHoldCommand({ Bucket: "held", Key: "prefix/x", LegalHold: { Status: "ON" } }),
    );
    expect((await store.head("x"))?.lock).toMatchObject({ legalHold: true });
  });

  test("lock on a bucket without Object Lock is refused", async () => {
    const store = openStore(await bucketUrl("plain", "&lock=COMPLIANCE&lockDays=1"), real.credentials);
    expect(await codeOf(store.write("x", chunksOf("x")))).toBe("store_failed");
  });
});
