import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { postOnce } from "../../shared/deployments/post-message.ts";
import { callHook } from "../../shared/rollback/hooks/call.ts";
import { beforeCall, noticeOf } from "../../shared/rollback/hooks/message.ts";
import { type Listener, listen, signedBy } from "./listener.ts";

const secret = `whsec_${Buffer.from("one secret").toString("base64")}`;
const older = `whsec_${Buffer.from("the secret before it").toString("base64")}`;
const limits = { attempts: 3, timeoutMs: 5_000, totalMs: 20_000 };
const subject = {
  rollbackId: "0b6c9d3e-0000-4000-8000-000000000000",
  kind: "rollback" as const,
  migrations: ["1_a"],
  actor: "anna",
  reason: "wrong <!channel> & release",
  planned: null,
};

let server: Listener;
beforeEach(async () => {
  server = await listen();
});
afterEach(() => server.close());

const call = (path: string, over: Partial<typeof limits> = {}) =>
  callHook({ url: `${server.url}${path}`, secret }, beforeCall(subject), { ...limits, ...over }, () => new Date());

describe("a signed call", () => {
  it("verifies by the words of Standard Webhooks, whatever it says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.jsonValue(), async (text, data) => {
        server.heard.length = 0;
        await postOnce({ url: `${server.url}/x`, secret }, { id: "msg_1", type: "t", text, data }, new Date());
        expect(signedBy(server.heard[0]!, secret)).toBe(true);
        expect(signedBy(server.heard[0]!, older)).toBe(false);
        expect(JSON.parse(server.heard[0]!.body)).toEqual(
          JSON.parse(JSON.stringify({ text, type: "t", data, timestamp: JSON.parse(server.heard[0]!.body).timestamp })),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("is signed by each of several secrets while one follows the other", async () => {
    await postOnce({ url: `${server.url}/x`, secret: `${secret} ${older}` }, beforeCall(subject).message, new Date());
    expect([secret, older].map((one) => signedBy(server.heard[0]!, one))).toEqual([true, true]);
  });

  it("is tried again after a 500, under the same id and signed anew", async () => {
    server.answer("/", (_, response, count) => response.writeHead(count < 3 ? 500 : 200).end());
    expect(await call("/")).toMatchObject({ state: "taken", status: 200, attempts: 3 });
    expect(new Set(server.heard.map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set([`belay_${subject.rollbackId}_before`]),
    );
    expect(server.heard.every((heard) => signedBy(heard, secret))).toBe(true);
  });

  it.each([400, 401, 404, 410])("is not tried again after a %i", async (status) => {
    server.answer("/", (_, response) => response.writeHead(status).end());
    expect(await call("/")).toMatchObject({ state: "failed", status, attempts: 1, evidence: `it answered ${status}` });
  });

  it("does not follow a redirect: the signed body goes nowhere else", async () => {
    server.answer("/", (_, response) => response.writeHead(307, { location: `${server.url}/elsewhere` }).end());
    expect(await call("/")).toMatchObject({
      state: "failed",
      status: 307,
      attempts: 1,
      evidence: expect.stringContaining("not followed"),
    });
    expect(server.on("/elsewhere")).toEqual([]);
  });

  it("ends in time when the server hangs, and says how long it waited", async () => {
    server.answer("/", () => {});
    const began = performance.now();
    expect(await call("/", { timeoutMs: 200, totalMs: 500 })).toMatchObject({
      state: "failed",
      status: null,
      evidence: expect.stringMatching(/^it did not answer within \d+ ms$/),
    });
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it("does not wait for an answer's body, however large or slow it is", async () => {
    let sent = 0;
    server.answer("/", (_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1 << 20);
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    server.answer("/slow", (_, response) => response.writeHead(200).write("."));
    expect(await call("/")).toMatchObject({ state: "taken", status: 200, attempts: 1 });
    expect(await call("/slow")).toMatchObject({ state: "taken", status: 200, attempts: 1 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent).toBeLessThan(64 << 20);
  });

  it("takes endless headers, a cut connection and nobody at home for no answer", async () => {
    server.answer("/headers", (_, response) =>
      response.socket!.write(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100_000)}`),
    );
    server.answer("/cut", (request) => request.socket.destroy());
    for (const path of ["/headers", "/cut"])
      expect(await call(path, { attempts: 1 })).toMatchObject({ state: "failed", status: null });
    const target = { url: "http://user:hidden@127.0.0.1:1/path?key=hidden", secret };
    const result = await callHook(target, beforeCall(subject), { ...limits, attempts: 1 }, () => new Date());
    expect(result).toMatchObject({ state: "failed", address: "127.0.0.1:1" });
    expect(JSON.stringify(result)).not.toContain("hidden");
  });
});

describe("a message for people", () => {
  it("pings nobody through a reason, and quotes no error", () => {
    const ending = { outcome: "failed" as const, report: null, errorCode: "sql_failed", health: null };
    const { text, id } = noticeOf("failed", subject, ending);
    expect(text).toContain("wrong &lt;!channel&gt; &amp; release");
    expect(text).toContain("(sql_failed)");
    expect(text).toContain(`belay incident ${subject.rollbackId}`);
    expect(id).toBe(`belay_${subject.rollbackId}_failed`);
  });
});
