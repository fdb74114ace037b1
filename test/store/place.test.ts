import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openStore } from "../../shared/store/open.ts";
import { type PartLimits, partSizes } from "../../shared/store/parts.ts";
import { createS3Store } from "../../shared/store/s3.ts";
import { createS3Client, type StoreCredentials } from "../../shared/store/s3-client.ts";
import { formatS3Place, parseS3Url } from "../../shared/store/s3-place.ts";
import { retryStrategy } from "../../shared/store/s3-retry.ts";
import { chunksOf, codeOf } from "./contract.ts";

const mebibyte = 1024 * 1024;
const credentials = { accessKeyId: "KEY", secretAccessKey: "SECRET" };

describe("a store's URL", () => {
  test.each([
    "s3://key:secret@bucket/x",
    "s3://bucket/x?endpoint=http://user:pass@host",
    "s3://bucket/x?endpoint=nonsense",
    "s3://bucket/x?endpoint=ftp://host",
    "s3://bucket/a/../../b%2f..%2f..",
    "s3://bucket/a//b",
    "s3://bucket/100%",
    "https://bucket/x",
    "nonsense",
    "s3://bucket/x?regoin=eu-west-1",
    "s3://bucket/x?region=a&region=b",
    "s3://bucket/x?pathStyle=yes",
    "s3://bucket/x?checksum=crc32",
    "s3://bucket/x?sse=AES128",
    "s3://bucket/x?kmsKeyId=abc",
    "s3://bucket/x?sse=AES256&kmsKeyId=abc",
    "s3://bucket/x?lock=GOVERNANCE",
    "s3://bucket/x?lockDays=10",
    "s3://bucket/x?lock=governance&lockDays=10",
    "s3://bucket/x?lock=COMPLIANCE&lockDays=0",
    "s3://bucket/x?lock=COMPLIANCE&lockDays=1&checksum=signed",
    "s3://bucket/x?storageClass=GLACIER",
    "s3://bucket/x?storageClass=cold%0d%0aX-Evil:1",
    "s3://bucket/x?maxParts=10001",
    "s3://bucket/x?partMiB=4",
    "s3://bucket/x?partMiB=1e3",
  ])("%s is refused", async (url) => {
    expect(await codeOf((async () => openStore(url, credentials))())).toBe("usage");
  });

  test("a wrong setting is named", () => {
    expect(() => openStore("s3://bucket?regoin=x", credentials)).toThrow(/regoin/);
    expect(() => openStore("s3://bucket?partMiB=4", credentials)).toThrow(/partMiB/);
  });

  test("S3 without credentials says which variables to set", () => {
    expect(() => openStore("s3://bucket/x")).toThrow(/no credentials for the bucket bucket/);
  });

  test("the place shown holds no credentials", () => {
    const store = openStore("s3://bucket/deep/prefix/?endpoint=http://127.0.0.1:9000&region=eu-west-1", credentials);
    expect(store.url).toBe("s3://bucket/deep/prefix?endpoint=http://127.0.0.1:9000&region=eu-west-1");
  });

  test("every setting is taken, and the place shown leads to the same store again", () => {
    const urls = [
      "s3://bucket/x?region=eu-central-1&sse=aws:kms&kmsKeyId=arn:aws:kms:eu-central-1:1:key/2&storageClass=STANDARD_IA",
      "s3://bucket?checksum=sha256&lock=COMPLIANCE&lockDays=35&pathStyle=true",
      "s3://bucket/a%20b/%25?endpoint=https://s3.example.com/v1/s3&pathStyle=false&checksum=md5&sse=AES256",
      "s3://bucket/x?endpoint=https://abc.r2.cloudflarestorage.com&uniformParts=false&partMiB=32",
      "s3://bucket/x?endpoint=https://s3.fr-par.scw.cloud&region=fr-par",
      "s3://bucket/x?maxParts=500&uniformParts=true",
    ];
    for (const url of urls) {
      const place = parseS3Url(url);
      expect(parseS3Url(formatS3Place(place))).toEqual(place);
    }
    expect(parseS3Url(urls[1]!).upload).toMatchObject({ checksum: "sha256", lock: { mode: "COMPLIANCE", days: 35 } });
    expect(parseS3Url(urls[2]!)).toMatchObject({ prefix: "a b/%/", pathStyle: false });
  });

  test("what stores are known to want otherwise is set by itself", () => {
    const r2 = parseS3Url("s3://bucket?endpoint=https://abc.r2.cloudflarestorage.com");
    expect(r2).toMatchObject({ region: "auto", pathStyle: true, upload: { uniformParts: true, mostParts: 10_000 } });
    const scaleway = parseS3Url("s3://bucket?endpoint=https://s3.fr-par.scw.cloud&region=fr-par");
    expect(scaleway).toMatchObject({ region: "fr-par", upload: { mostParts: 1_000 } });
    const supabase = parseS3Url(
      "s3://backups/belay?endpoint=https://abcdefghij.storage.supabase.co/storage/v1/s3&region=eu-central-1",
    );
    expect(supabase).toMatchObject({
      endpoint: "https://abcdefghij.storage.supabase.co/storage/v1/s3",
      pathStyle: true,
      region: "eu-central-1",
    });
    expect(parseS3Url("s3://bucket")).toMatchObject({ region: "us-east-1", pathStyle: false, endpoint: undefined });
  });

  test("region and endpoint of the environment hold where the URL is silent", () => {
    const around = { region: "eu-north-1", endpoint: "http://127.0.0.1:9000" };
    expect(parseS3Url("s3://bucket", around)).toMatchObject({ ...around, pathStyle: true });
    expect(parseS3Url("s3://bucket?region=eu-west-1&endpoint=http://other", around)).toMatchObject({
      region: "eu-west-1",
      endpoint: "http://other",
    });
  });
});

describe("a request", () => {
  /** What would be sent for writing a small object, and then not sent. */
  async function requestFor(url: string, keys: StoreCredentials = credentials) {
    const place = parseS3Url(url);
    const client = createS3Client(place, keys);
    let seen: { protocol: string; hostname: string; path: string; headers: Record<string, string> } | undefined;
    client.middlewareStack.add(
      () => async (args) => {
        seen = args.request as typeof seen;
        return { response: {}, output: { $metadata: {} } as never };
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await createS3Store(client, place).write("a/b c.gz", chunksOf("hello"));
    return seen!;
  }

  test.each([
    ["s3://bucket/deep?region=eu-west-1", "bucket.s3.eu-west-1.amazonaws.com", "/deep/a/b%20c.gz"],
    ["s3://bucket?endpoint=https://s3.example.com", "s3.example.com", "/bucket/a/b%20c.gz"],
    ["s3://bucket?endpoint=https://s3.example.com&pathStyle=false", "bucket.s3.example.com", "/a/b%20c.gz"],
    [
      "s3://backups/x?endpoint=https://abc.storage.supabase.co/storage/v1/s3&region=eu-central-1",
      "abc.storage.supabase.co",
      "/storage/v1/s3/backups/x/a/b%20c.gz",
    ],
  ])("for %s goes to %s", async (url, host, path) => {
    expect(await requestFor(url)).toMatchObject({ protocol: "https:", hostname: host, path });
  });

  test("carries a signed hash of its body, no trailer and no checksum that was not asked for", async () => {
    const { headers } = await requestFor("s3://bucket?endpoint=https://s3.example.com");
    expect(headers["x-amz-content-sha256"]).toBe(createHash("sha256").update("hello").digest("hex"));
    const names = Object.keys(headers).join(" ");
    expect(names).not.toMatch(/trailer|checksum|content-md5|content-encoding|server-side|object-lock|storage-class/);
    expect(headers["content-length"]).toBe("5");
  });

  test("carries what the URL asks for", async () => {
    const settings = "checksum=sha256&sse=aws:kms&kmsKeyId=key-1&storageClass=STANDARD_IA";
    const { headers } = await requestFor(`s3://bucket?${settings}`);
    expect(headers).toMatchObject({
      "x-amz-checksum-sha256": createHash("sha256").update("hello").digest("base64"),
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
      "x-amz-storage-class": "STANDARD_IA",
    });
  });

  test("carries the token of credentials that run out", async () => {
    const { headers } = await requestFor("s3://bucket", { ...credentials, sessionToken: "TOKEN" });
    expect(headers["x-amz-security-token"]).toBe("TOKEN");
  });
});

describe("the part sizes", () => {
  const usual: PartLimits = { mostParts: 10_000, smallestPart: 8 * mebibyte, uniformParts: false };

  test.each([
    [undefined, 10_000, 8],
    [0, 10_000, 8],
    [7_000, 10_000, 8],
    [72_000, 10_000, 8],
    [90_000, 10_000, 10],
    [1_000_000, 10_000, 112],
    [7_000, 1_000, 8],
    [30_000, 1_000, 34],
  ])("for %s expected MiB in at most %s parts begin at %s MiB", (hint, mostParts, size) => {
    const sizeOf = partSizes(hint === undefined ? undefined : hint * mebibyte, { ...usual, mostParts });
    expect(sizeOf(1)).toBe(size * mebibyte);
  });

  test("hold the expected bytes and more within the limits, never shrink, and are all alike where the store wants it", () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 4 * 1024 * 1024 }), { nil: undefined }),
        fc.constantFrom(100, 1_000, 10_000),
        fc.boolean(),
        (hintMiB, mostParts, uniformParts) => {
          const hint = hintMiB === undefined ? undefined : hintMiB * mebibyte;
          const sizeOf = partSizes(hint, { ...usual, mostParts, uniformParts });
          const sizes = Array.from({ length: mostParts }, (_, index) => sizeOf(index + 1));
          expect(Math.min(...sizes)).toBeGreaterThanOrEqual(5 * mebibyte);
          expect(Math.max(...sizes)).toBeLessThanOrEqual(5 * 1024 * mebibyte);
          expect(sizes.every((size, index) => index === 0 || size >= sizes[index - 1]!)).toBe(true);
          if (uniformParts) expect(new Set(sizes).size).toBe(1);
          const room = sizes.reduce((sum, size) => sum + size, 0);
          const most = mostParts * 5 * 1024 * mebibyte;
          expect(room).toBeGreaterThanOrEqual(Math.min(most, hint ?? 0));
          if (!uniformParts && hint === undefined) expect(room).toBeGreaterThan(3 * mostParts * 8 * mebibyte);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("the pauses between attempts", () => {
  const pauses = async (error: object, errorType: "TRANSIENT" | "THROTTLING" | "CLIENT_ERROR", random: number) => {
    const strategy = retryStrategy(1, () => random);
    const all: number[] = [];
    let token = await strategy.acquireInitialRetryToken("");
    try {
      for (;;) {
        token = await strategy.refreshRetryTokenForRetry(token, {
          error: error as never,
          errorType,
        });
        all.push(token.getRetryDelay());
      }
    } catch {
      return all;
    }
  };

  test("grow, are jittered, and end", async () => {
    expect(await pauses({}, "TRANSIENT", 1)).toEqual([250, 500, 1_000, 2_000, 4_000]);
    expect(await pauses({}, "TRANSIENT", 0)).toEqual([125, 250, 500, 1_000, 2_000]);
    expect(await pauses({}, "THROTTLING", 1)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  });

  test("are fewer where nobody listens or answers, and none after a refusal", async () => {
    expect((await pauses({ code: "ECONNREFUSED" }, "TRANSIENT", 1)).length).toBe(2);
    expect((await pauses({ name: "TimeoutError" }, "TRANSIENT", 1)).length).toBe(3);
    expect(await pauses({}, "CLIENT_ERROR", 1)).toEqual([]);
  });

  test("follow what the store asks for, within bounds", async () => {
    const strategy = retryStrategy(1, () => 1);
    const token = await strategy.acquireInitialRetryToken("");
    const asked = (ms: number) => ({ errorType: "THROTTLING" as const, retryAfterHint: new Date(Date.now() + ms) });
    const short = await strategy.refreshRetryTokenForRetry(token, asked(3_000));
    expect(short.getRetryDelay()).toBeGreaterThan(2_500);
    const long = await strategy.refreshRetryTokenForRetry(token, asked(3_600_000));
    expect(long.getRetryDelay()).toBe(8_000);
  });
});
