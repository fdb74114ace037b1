import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRollbacksApp } from "../../functions/rollbacks/app.ts";
import { apply, photograph } from "../rollback/helpers.ts";
import { testDeps } from "./deps.ts";
import { broken, customers, orders } from "./shop.ts";
import { type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let app: ReturnType<typeof createRollbacksApp>;

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  app = createRollbacksApp(testDeps(tokens, world.belay));
  await apply(world.url, customers, orders, broken);
});
afterAll(() => world.drop());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  readonly body: any;
}

async function ask(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  claims: Record<string, unknown> = {},
): Promise<Answer> {
  const answer = await app.request(`/rollbacks${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokens.token(claims)}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

const get = (path: string) => ask("GET", path);
const post = (path: string, body: unknown, claims?: Record<string, unknown>) => ask("POST", path, body, claims);

describe("migrations", () => {
  it("are listed newest first, page by page", async () => {
    const first = await get("/migrations?limit=2");
    expect(first.body.items.map((one: { migration: string }) => one.migration)).toEqual([broken.name, orders.name]);
    const second = await get(`/migrations?limit=2&cursor=${first.body.next}`);
    expect(second.body.items.map((one: { migration: string }) => one.migration)).toEqual([customers.name]);
    expect(second.body.next).toBeNull();
  });

  it("each say whether the ledger lets them be rolled back, and why not", async () => {
    const { body } = await get(`/migrations/${broken.name}`);
    expect(body).toMatchObject({
      canRollBack: false,
      blockingReason: expect.stringContaining("syntax error"),
      rollbackSql: broken.down,
    });
    expect((await get(`/migrations/${orders.name}`)).body).toMatchObject({ canRollBack: true, hasRollback: true });
  });

  it("that are not known are a problem that names them", async () => {
    for (const path of ["/migrations/nope", "/migrations/nope/plan", "/migrations/..%2f..%2fetc"])
      expect((await get(path)).body).toMatchObject({ status: 404, code: "unknown_migration" });
  });

  it.each(["limit=0", "limit=201", "limit=x", "cursor=abc", "cursor=W10", "status=gone"])(
    "a listing with %s is a usage error",
    async (query) => {
      expect((await get(`/migrations?${query}`)).body).toMatchObject({ status: 400, code: "usage" });
    },
  );
});

describe("a plan", () => {
  it("of several is asked for in the same words as on the command line, by GET and by POST", async () => {
    const posted = await post("/plans", { migrations: [customers.name, orders.name] });
    expect(posted.body.migrations.map((each: { migration: string }) => each.migration)).toEqual([
      orders.name,
      customers.name,
    ]);
    const got = await get(`/plans?migrations=${customers.name},${orders.name}`);
    expect(got.body.hash).toBe(posted.body.hash);
    const after = await post("/plans", { to: customers.name });
    expect(after.body.target).toEqual({ kind: "to", value: customers.name });
    for (const body of [{}, { to: "x", migration: "y" }, { migrations: [] }])
      expect((await post("/plans", body)).body).toMatchObject({ status: 400, code: "usage" });
    expect((await get("/plans?deployment=nope")).body).toMatchObject({ status: 404, code: "unknown_deployment" });
  });

  it("says what goes, with the same hash each time and on both routes", async () => {
    const { status, body } = await post("/plans", { migration: orders.name });
    expect(status).toBe(200);
    expect(body.effect.tables).toMatchObject([{ table: "orders", rows: 400 }]);
    expect((await get(`/migrations/${orders.name}/plan`)).body.hash).toBe(body.hash);
  });

  it("may be read by a viewer, who may not execute it", async () => {
    const viewer = { app_metadata: { role: "viewer" } };
    const { body } = await post("/plans", { migration: orders.name }, viewer);
    const request = { migration: orders.name, planHash: body.hash, reason: "test" };
    expect((await post("/rollbacks", request, viewer)).body).toMatchObject({ status: 403, code: "forbidden" });
    expect((await post("/rollbacks", request, { aal: "aal1" })).body).toMatchObject({ status: 403, code: "forbidden" });
    expect((await get("/rollbacks")).body.items).toEqual([]);
  });
});

describe("executing", () => {
  it.each([
    ["no plan hash", { migration: orders.name, reason: "test" }],
    ["a hash that is none", { migration: orders.name, reason: "test", planHash: "latest" }],
    ["no reason", { migration: orders.name, planHash: "0".repeat(64) }],
    ["an empty reason", { migration: orders.name, planHash: "0".repeat(64), reason: "  " }],
  ])("with %s is refused before anything is read", async (_, body) => {
    expect((await post("/rollbacks", body)).body).toMatchObject({ status: 400, code: "usage" });
  });

  it("with the hash of another plan changes nothing", async () => {
    const before = await photograph(world.url);
    const answer = await post("/rollbacks", { migration: orders.name, planHash: "0".repeat(64), reason: "test" });
    expect(answer.body).toMatchObject({ status: 409, code: "plan_changed" });
    expect(await photograph(world.url)).toEqual(before);
  });

  it("what a failed gate forbids changes nothing", async () => {
    const { body: plan } = await post("/plans", { migration: broken.name });
    expect(plan.canRollBack).toBe(false);
    const answer = await post("/rollbacks", { migration: broken.name, planHash: plan.hash, reason: "test" });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it("rolls back, shows the archive and the record, and undoes: everything is as before", async () => {
    const before = await photograph(world.url);
    const { body: plan } = await post("/plans", { migration: orders.name });
    const done = await post("/rollbacks", { migration: orders.name, planHash: plan.hash, reason: "wrong release" });
    expect(done.body).toMatchObject({
      outcome: "committed",
      actor: "olga@example.test",
      tables: [{ table: "orders", rows: 400 }],
    });
    expect((await photograph(world.url)).tables["public.orders"]).toBeUndefined();

    const archive = await get(`/archives/${done.body.archiveId}`);
    expect(archive.body).toMatchObject({ purpose: "rollback", migration: orders.name, reason: "wrong release" });
    expect((await get("/archives")).body.items.map((one: { id: string }) => one.id)).toEqual([done.body.archiveId]);
    const again = await post("/rollbacks", { migration: orders.name, planHash: plan.hash, reason: "again" });
    expect(again.status).toBe(409);

    const undone = await post(`/rollbacks/${done.body.rollbackId}/undo`, { reason: "it was right" });
    expect(undone.body).toMatchObject({ kind: "undo", outcome: "committed" });
    expect(await photograph(world.url)).toEqual(before);
    const record = await get(`/rollbacks/${done.body.rollbackId}`);
    expect(record.body).toMatchObject({
      outcome: "undone",
      planHash: plan.hash,
      report: { rollbackId: done.body.rollbackId },
    });
  });

  it("every attempt is on record, newest first, the refused ones with their code", async () => {
    const { body } = await get("/rollbacks");
    expect(body.items[0]).toMatchObject({ kind: "undo", outcome: "committed" });
    expect(body.items.map((one: { error: { code: string } | null }) => one.error?.code)).toContain("plan_changed");
    const paged: string[] = [];
    for (let cursor = ""; ; ) {
      const page = await get(`/rollbacks?limit=1${cursor}`);
      paged.push(...page.body.items.map((one: { rollbackId: string }) => one.rollbackId));
      if (page.body.next === null) break;
      cursor = `&cursor=${page.body.next}`;
    }
    expect(paged).toEqual(body.items.map((one: { rollbackId: string }) => one.rollbackId));
  });

  it("undoing what is not there is a problem that names it", async () => {
    const id = "99999999-9999-4999-8999-999999999999";
    expect((await post(`/rollbacks/${id}/undo`, { reason: "x" })).body).toMatchObject({
      status: 404,
      code: "unknown_rollback",
    });
    expect((await get(`/rollbacks/${id}`)).body).toMatchObject({ status: 404, code: "unknown_rollback" });
    expect((await get("/rollbacks/not-an-id")).body).toMatchObject({ status: 400, code: "usage" });
  });
});

describe("archives", () => {
  it.each(["/archives/none", "/archives/%2e%2e", "/archives/a%2fb"])(
    "%s is a problem, never another file",
    async (path) => {
      const { body } = await get(path);
      expect(["usage", "unknown_archive", "route_not_found"]).toContain(body.code);
    },
  );
});

describe("the OpenAPI document", () => {
  it("is 3.1, needs no token, and describes every route with its schemas", async () => {
    const answer = await app.request("/rollbacks/openapi.json");
    const document = (await answer.json()) as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths).sort()).toEqual([
      "/rollbacks/archives",
      "/rollbacks/archives/{id}",
      "/rollbacks/audit",
      "/rollbacks/audit/anchor",
      "/rollbacks/audit/export",
      "/rollbacks/audit/verify",
      "/rollbacks/migrations",
      "/rollbacks/migrations/{name}",
      "/rollbacks/migrations/{name}/plan",
      "/rollbacks/plans",
      "/rollbacks/plans/approve",
      "/rollbacks/plans/notify",
      "/rollbacks/quarantine",
      "/rollbacks/quarantine/purge",
      "/rollbacks/rollbacks",
      "/rollbacks/rollbacks/{id}",
      "/rollbacks/rollbacks/{id}/incident",
      "/rollbacks/rollbacks/{id}/undo",
      "/rollbacks/rollbacks/{id}/undo/approve",
      "/rollbacks/rollbacks/{id}/undo/plan",
    ]);
    const text = JSON.stringify(document.paths["/rollbacks/rollbacks"]!.post);
    expect(text).toContain('"required":["planHash","reason"]');
    expect(text).toContain("application/problem+json");
  });
});
