import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createApp, maxBodyBytes } from "../../functions/app.ts";
import { mount, route } from "../../functions/route.ts";
import { BelayError } from "../../shared/errors.ts";
import { type TestDeps, testDeps } from "./deps.ts";
import { type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let deps: TestDeps;
let app: ReturnType<typeof createApp>;
let runs = 0;
let outcome: () => Promise<unknown> = async () => ({ runs });

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  deps = testDeps(tokens, world.belay);
  app = createApp("/t", deps);
  const routes = [
    route({
      method: "post",
      path: "/act",
      summary: "Act.",
      role: "operator",
      body: z.strictObject({ name: z.string() }),
      response: z.unknown(),
      handle: async () => {
        runs += 1;
        return outcome();
      },
    }),
    route({
      method: "post",
      path: "/destroy",
      summary: "Destroy.",
      role: "operator",
      destructive: true,
      response: z.unknown(),
      handle: async () => ({}),
    }),
  ];
  mount(app, routes, deps);
});
afterAll(() => world.drop());
beforeEach(() => {
  runs = 0;
  outcome = async () => ({ runs });
  deps.lines.length = 0;
});

async function act(options: { key?: string; body?: string; path?: string; claims?: Record<string, unknown> } = {}) {
  const headers: Record<string, string> = {
    authorization: `Bearer ${await tokens.token(options.claims)}`,
    "content-type": "application/json",
  };
  if (options.key !== undefined) headers["idempotency-key"] = options.key;
  const body = options.body ?? '{"name":"a"}';
  const answer = await app.request(`/t${options.path ?? "/act"}`, { method: "POST", headers, body });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}

describe("the same Idempotency-Key", () => {
  it("with the same request gives the same answer and runs once", async () => {
    const first = await act({ key: "k1" });
    const second = await act({ key: "k1" });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(runs).toBe(1);
  });

  it("with another body is refused", async () => {
    await act({ key: "k2" });
    const other = await act({ key: "k2", body: '{"name":"b"}' });
    expect(other.status).toBe(422);
    expect(other.body.code).toBe("idempotency_key_reused");
    expect(runs).toBe(1);
  });

  it("of another user is another key", async () => {
    await act({ key: "k3" });
    await act({ key: "k3", claims: { sub: "22222222-2222-4222-8222-222222222222" } });
    expect(runs).toBe(2);
  });

  it("gives a refusal again, as the same problem", async () => {
    outcome = async () => {
      throw new BelayError("plan_changed", "the plan changed");
    };
    const first = await act({ key: "k4" });
    const second = await act({ key: "k4" });
    expect([first.status, second.status, runs]).toEqual([409, 409, 1]);
    expect(second.body.code).toBe("plan_changed");
    expect(second.headers.get("content-type")).toBe("application/problem+json");
  });

  it("after a failure of the server may be tried again", async () => {
    outcome = async () => {
      throw new BelayError("store_unreachable", "the store does not answer");
    };
    expect((await act({ key: "k5" })).status).toBe(503);
    outcome = async () => ({ done: true });
    expect((await act({ key: "k5" })).body).toEqual({ done: true });
  });

  it("while the first request runs is refused, at the same moment too", async () => {
    outcome = () => new Promise((resolve) => setTimeout(() => resolve({}), 200));
    const answers = await Promise.all([1, 2, 3, 4].map(() => act({ key: "k6" })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409, 409]);
    expect(runs).toBe(1);
  });

  it.each([
    ["spaces inside", "a b"],
    ["too long", "x".repeat(256)],
  ])("that is not a key (%s) is refused", async (_, key) => {
    expect((await act({ key })).body.code).toBe("body_invalid");
  });
});

describe("every failure is a problem document", () => {
  it("with code, status, hint and the request's id", async () => {
    outcome = async () => {
      throw new BelayError("gate_failed", "dependents stand in the way", {
        hint: "Roll them back first.",
        details: { gate: "dependents" },
      });
    };
    const { status, headers, body } = await act();
    expect(status).toBe(409);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({
      type: "urn:belay:problem:gate_failed",
      code: "gate_failed",
      status: 409,
      detail: "dependents stand in the way",
      hint: "Roll them back first.",
      details: { gate: "dependents" },
    });
    expect(body.requestId).toBe(headers.get("x-request-id"));
  });

  it("an unexpected error says nothing of itself, neither outside nor its message in the log", async () => {
    outcome = async () => {
      throw new Error("password=hunter2");
    };
    const { status, body } = await act();
    expect([status, body.code]).toEqual([500, "internal"]);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|at .*\.ts/);
    expect(deps.lines.join()).toContain(String(body.requestId));
    expect(deps.lines.join()).not.toContain("hunter2");
  });

  it("a body that is not JSON", async () => {
    expect((await act({ body: "{" })).body).toMatchObject({ status: 400, code: "body_invalid" });
  });

  it.each([
    '{"name":1}',
    "[]",
    "null",
    '"x"',
    '{"name":"a","other":1}',
    '{"__proto__":{"name":"a"}}',
    '{"name":"a","constructor":{}}',
  ])("a body that is not what the route takes: %s", async (body) => {
    const answer = await act({ body });
    expect(answer.body).toMatchObject({ status: 400, code: "usage" });
    expect(runs).toBe(0);
  });

  it("a body that is too large, whether it says so or not", async () => {
    const huge = JSON.stringify({ name: "x".repeat(maxBodyBytes) });
    expect((await act({ body: huge })).body).toMatchObject({ status: 413, code: "body_too_large" });
    const stream = new Response(huge).body!;
    const answer = await app.request("/t/act", {
      method: "POST",
      headers: { authorization: `Bearer ${await tokens.token()}` },
      body: stream,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(413);
  });

  it("a path that is no route", async () => {
    expect((await act({ path: "/nowhere" })).body).toMatchObject({ status: 404, code: "route_not_found" });
    expect((await app.request("/elsewhere")).status).toBe(404);
  });
});

describe("a browser of another origin", () => {
  it("may send the headers that Supabase clients send", async () => {
    const answer = await app.request("/t/act", {
      method: "OPTIONS",
      headers: { origin: "https://app.example.test", "access-control-request-method": "POST" },
    });
    expect(answer.status).toBe(204);
    const allowed = (answer.headers.get("access-control-allow-headers") ?? "").toLowerCase();
    for (const name of ["authorization", "x-client-info", "apikey", "content-type", "idempotency-key"])
      expect(allowed).toContain(name);
  });
});

describe("the role is read again before a destructive act", () => {
  beforeAll(async () => {
    await world.session.run(`create schema auth;
      create table auth.users (id uuid primary key, raw_app_meta_data jsonb, banned_until timestamptz, deleted_at timestamptz);
      insert into auth.users values
        ('11111111-1111-4111-8111-111111111111', '{"role":"operator"}', null, null),
        ('22222222-2222-4222-8222-222222222222', '{"role":"viewer"}', null, null),
        ('33333333-3333-4333-8333-333333333333', '{"role":"approver"}', now() + interval '1 day', null),
        ('44444444-4444-4444-8444-444444444444', null, null, null)`);
  });
  it.each([
    ["still an operator", "11111111-1111-4111-8111-111111111111", 200],
    ["now only a viewer", "22222222-2222-4222-8222-222222222222", 403],
    ["now banned", "33333333-3333-4333-8333-333333333333", 403],
    ["now without a role", "44444444-4444-4444-8444-444444444444", 403],
    ["no longer there", "55555555-5555-4555-8555-555555555555", 403],
  ])("a user who is %s", async (_, sub, status) => {
    expect((await act({ path: "/destroy", claims: { sub } })).status).toBe(status);
  });
});
