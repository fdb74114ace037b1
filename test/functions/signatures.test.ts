import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { standardEvent, vercelEvent } from "../../shared/deployments/events.ts";
import { standardSignature, verifyStandard, verifyVercel } from "../../shared/deployments/signatures.ts";
import { isBelayError } from "../../shared/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("Standard Webhooks", () => {
  // The example of the Standard Webhooks specification and its reference libraries.
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const body = bytes('{"test": 2432232314}');
  const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const timestamp = "1614265330";
  const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  const at = new Date(1614265330_000);

  it("accepts the specification's own example", () => {
    expect(standardSignature(body, { id, timestamp }, secret)).toBe(signature);
    expect(verifyStandard(body, { id, timestamp, signature }, secret, at)).toBe(true);
  });

  it("accepts one good signature among several", () => {
    const several = `v1,AAAA v2,${"x".repeat(44)} ${signature}`;
    expect(verifyStandard(body, { id, timestamp, signature: several }, secret, at)).toBe(true);
  });

  it.each([
    ["another body", bytes("{}"), id, timestamp, signature],
    ["another id", body, "msg_other", timestamp, signature],
    ["another timestamp", body, id, "1614265331", signature],
    ["no signature", body, id, timestamp, ""],
    ["the signature without its version", body, id, timestamp, signature.slice(3)],
    ["a signature that is longer", body, id, timestamp, `${signature}=`],
    ["a timestamp that is not a number", body, id, "1614265330.0", signature],
  ])("refuses %s", (_, raw, webhookId, time, given) => {
    expect(verifyStandard(raw, { id: webhookId, timestamp: time, signature: given }, secret, at)).toBe(false);
  });

  it("takes timestamps up to 300 seconds away, in both directions, and none beyond", () => {
    const headers = { id, timestamp, signature };
    const after = (seconds: number) => verifyStandard(body, headers, secret, new Date(at.getTime() + seconds * 1000));
    expect([-301, -300, 300, 301].map(after)).toEqual([false, true, true, false]);
  });

  it("no changed byte of a body keeps its signature", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (raw, at, flip) => {
          const time = "1614265330";
          const signed = standardSignature(raw, { id, timestamp: time }, secret);
          const changed = Uint8Array.from(raw);
          changed[at % raw.length]! ^= flip;
          const headers = { id, timestamp: time, signature: signed };
          return (
            verifyStandard(raw, headers, secret, new Date(1614265330_000)) &&
            !verifyStandard(changed, headers, secret, new Date(1614265330_000))
          );
        },
      ),
    );
  });
});

describe("Vercel", () => {
  it("accepts the hex HMAC-SHA1 of the raw body and nothing else", () => {
    const body = bytes('{"id":"evt_1"}');
    const good = createHmac("sha1", "s3cret").update(body).digest("hex");
    expect(verifyVercel(body, good, "s3cret")).toBe(true);
    for (const bad of [
      "",
      good.toUpperCase(),
      good.slice(2),
      `${good}00`,
      createHmac("sha1", "other").update(body).digest("hex"),
    ])
      expect(verifyVercel(body, bad, "s3cret")).toBe(false);
  });

  it("reads failure, success and the rest, and the deployment's id", () => {
    const event = (type: string) =>
      vercelEvent(
        bytes(
          JSON.stringify({
            id: "evt_1",
            type,
            createdAt: 1700000000000,
            payload: { target: "production", deployment: { id: "dpl_1" } },
          }),
        ),
      );
    expect(event("deployment.error")).toMatchObject({
      status: "failed",
      externalId: "dpl_1",
      target: "production",
      deliveryId: "evt_1",
    });
    expect(event("deployment.succeeded").status).toBe("succeeded");
    expect(event("deployment.created").status).toBe("other");
  });
});

describe("any bytes as a body", () => {
  const reads = (read: () => unknown) => {
    try {
      read();
      return true;
    } catch (error) {
      return isBelayError(error, "usage");
    }
  };

  it("are an event or a usage error, never another failure", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map(bytes),
          eventLike().map((value) => bytes(JSON.stringify(value))),
        ),
        (raw) => reads(() => vercelEvent(raw)) && reads(() => standardEvent(raw, "id", new Date(0))),
      ),
      { numRuns: 500 },
    );
  });

  it("with prototype keys change no prototype", () => {
    const hostile =
      '{"id":"e","type":"deployment.error","createdAt":1,"__proto__":{"polluted":true},"payload":{"__proto__":{"target":"production"},"constructor":{"prototype":{"polluted":true}}}}';
    expect(vercelEvent(bytes(hostile)).target).toBeNull();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

function eventLike() {
  const anything = fc.anything({ maxDepth: 2 }).filter((value) => typeof value !== "bigint" && !hasBigint(value));
  return fc.record(
    { id: anything, type: anything, createdAt: anything, timestamp: anything, payload: anything, data: anything },
    { requiredKeys: [] },
  );
}

function hasBigint(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return false;
  } catch {
    return true;
  }
}
