import { Buffer } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionConfig } from "../../functions/config.ts";
import { createDrillsApp } from "../../functions/drills/app.ts";
import { httpStatus, problemResponse } from "../../functions/problem.ts";
import { createRollbacksApp } from "../../functions/rollbacks/app.ts";
import { BelayError, errorCodes } from "../../shared/errors.ts";
import { testDeps } from "./deps.ts";
import { tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let rollbacks: ReturnType<typeof createRollbacksApp>;
let drills: ReturnType<typeof createDrillsApp>;
let authorization: string;

beforeAll(async () => {
  world = await makeWorld();
  // Rows, so that what a query compares is really compared.
  await world.session.run(`insert into belay.drills (archive_id, actor) values ('a', 'x'), ('b', 'x');
    insert into belay.rollbacks (migration_name, plan_hash, plan, reason, actor) values ('m', '', '{}', 'r', 'x');
    insert into belay.migration_history (migration_name, migration_version, checksum) values ('m', '1', repeat('0', 64))`);
  const tokens = await tokenMaker();
  authorization = `Bearer ${await tokens.token()}`;
  const deps = testDeps(tokens, world.belay);
  rollbacks = createRollbacksApp(deps);
  drills = createDrillsApp(deps);
});
afterAll(() => world.drop());

const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const hostileText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\u0000",
    "a\u0000b",
    "'; drop table belay.drills; --",
    "../../etc/passwd",
    "%",
    "__proto__",
    "\ud800",
    "🦄",
  ),
  fc.json().map((text) => cursor(JSON.parse(text))),
  fc.tuple(hostileTime(), fc.string()).map(cursor),
);

function hostileTime() {
  return fc.constantFrom(
    "2026-02-31 00:00:00+00",
    "2026-11-20 21:00:00+00",
    "infinity",
    "now",
    "x",
    "",
    "9999-99-99 99:99:99+00",
  );
}

describe("whatever comes in a path, a query or a body", () => {
  it("is answered, or refused with a problem that is the caller's: never a failure of the server", async () => {
    const routes = [
      [rollbacks, (text: string) => `/rollbacks/migrations/${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/migrations?cursor=${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/rollbacks?cursor=${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/rollbacks?migration=${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/rollbacks/${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/archives/${encode(text)}`],
      [rollbacks, (text: string) => `/rollbacks/archives?limit=${encode(text)}`],
      [drills, (text: string) => `/drills/drills?cursor=${encode(text)}`],
      [drills, (text: string) => `/drills/drills?schedule=${encode(text)}&archiveId=${encode(text)}`],
      [drills, (text: string) => `/drills/drills/${encode(text)}`],
    ] as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), hostileText, async ([app, path], text) => {
        const answer = await app.request(path(text), { headers: { authorization } });
        expect(answer.status, `${path(text)} ${await answer.clone().text()}`).toBeLessThan(500);
      }),
      { numRuns: 150 },
    );
  });

  it.each(["2026-02-31 00:00:00+00", "2026-11-20 24:30:00+00", "0000-01-01 00:00:00+00", "infinity", "now", ""])(
    "a cursor with the time %j is refused",
    async (time) => {
      for (const id of ["x", "\u0000"]) {
        const query = `?cursor=${cursor([time, id])}`;
        expect((await rollbacks.request(`/rollbacks/rollbacks${query}`, { headers: { authorization } })).status).toBe(
          400,
        );
        expect((await drills.request(`/drills/drills${query}`, { headers: { authorization } })).status).toBe(400);
      }
    },
  );

  it("as a body is refused by the same rule", async () => {
    const paths = [
      [rollbacks, "/rollbacks/plans"],
      [rollbacks, "/rollbacks/rollbacks"],
      [rollbacks, "/rollbacks/rollbacks/99999999-9999-4999-8999-999999999999/undo"],
      [drills, "/drills/drills"],
    ] as const;
    const hash = fc.constantFrom("0".repeat(64), "x");
    const bodies = fc.oneof(
      fc.json(),
      fc.string(),
      fc.record({ migration: hostileText, planHash: hash, reason: hostileText }).map((value) => JSON.stringify(value)),
      fc.record({ reason: hostileText }).map((value) => JSON.stringify(value)),
      fc.record({ archiveId: hostileText.filter((text) => text !== "latest") }).map((value) => JSON.stringify(value)),
      fc.constant("[".repeat(100_000)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bodies, async ([app, path], body) => {
        const answer = await app.request(path, { method: "POST", headers: { authorization }, body });
        expect(answer.status, `${path} ${body.slice(0, 200)} ${await answer.clone().text()}`).toBeLessThan(500);
        expect(answer.headers.get("content-type")).toContain("json");
      }),
      { numRuns: 150 },
    );
  });
});

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()) || "%20";
}

describe("problem documents", () => {
  it("every code has a status of 400 or more, and unknown things are 404", () => {
    for (const code of errorCodes) {
      expect(httpStatus(code)).toBeGreaterThanOrEqual(400);
      if (code.startsWith("unknown_")) expect(httpStatus(code)).toBe(404);
    }
  });

  it("hold details that JSON alone could not", async () => {
    const error = new BelayError("gate_failed", "no", { details: { rows: 12345678901234567890n } });
    expect(await problemResponse(error).json()).toMatchObject({ details: { rows: "12345678901234567890" } });
  });
});

describe("a function's environment", () => {
  it("that is wrong is named by its variables, never by their values", () => {
    const environment = { SUPABASE_URL: "hunter2", BELAY_WEBHOOK_SECRET: "hunter2", SUPABASE_JWKS: "hunter2" };
    const message = messageOf(() => functionConfig(environment));
    for (const name of Object.keys(environment)) expect(message).toContain(name);
    expect(message).not.toContain("hunter2");
  });

  it("makes an edge runtime with a budget of 32 MiB", () => {
    const { settings, auth } = functionConfig({ SUPABASE_URL: "https://abc.supabase.co/" });
    expect(settings).toMatchObject({ runtime: "edge", archiveBudgetBytes: 32 * 1024 * 1024 });
    expect(auth).toMatchObject({
      issuer: "https://abc.supabase.co/auth/v1",
      audience: "authenticated",
      secretKeys: {},
    });
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}
