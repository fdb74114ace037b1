import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDrillsApp } from "../../functions/drills/app.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { cronKey, type TestDeps, testDeps } from "./deps.ts";
import { type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let deps: TestDeps;
let app: ReturnType<typeof createDrillsApp>;

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  deps = testDeps(tokens, world.belay);
  app = createDrillsApp(deps);
  await world.session.run("create table t (id int primary key); insert into t select generate_series(1, 10)");
  await dumpDatabase(world.belay(), { reason: "test" });
});
afterAll(async () => {
  await deps.settle();
  await world.drop();
});

async function ask(method: string, path: string, body?: unknown, claims: Record<string, unknown> = {}) {
  const answer = await app.request(`/drills${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokens.token(claims)}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  return { status: answer.status, body: (await answer.json()) as any };
}

const tick = (headers: Record<string, string>) => app.request("/drills/tick", { method: "POST", headers });

describe("the cron tick", () => {
  it("takes only the secret key named cron, only in the header apikey", async () => {
    const refused: Record<string, string>[] = [
      {},
      { apikey: "" },
      { apikey: "sb_secret_default_0123456789" },
      { apikey: `${cronKey}x` },
      { authorization: `Bearer ${cronKey}` },
      { authorization: `Bearer ${await tokens.token({ app_metadata: { role: "approver" } })}` },
      { "x-api-key": cronKey },
    ];
    for (const headers of refused) {
      const answer = await tick(headers);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, "unauthenticated"]);
    }
    expect((await tick({ apikey: cronKey })).status).toBe(202);
  });

  it("is refused where no such key is set, even without a key or with `undefined`", async () => {
    const bare = createDrillsApp({ ...deps, auth: { ...deps.auth, secretKeys: {} } });
    for (const headers of [{}, { apikey: "" }, { apikey: "undefined" }] as Record<string, string>[])
      expect((await bare.request("/drills/tick", { method: "POST", headers })).status).toBe(401);
  });

  it("answers before the drill is done, and the drill goes on to its verdict", async () => {
    await ask("PUT", "/schedules/minutely", { cron: "* * * * *" });
    const answer = await tick({ apikey: cronKey });
    const { started } = (await answer.json()) as { started: { drillId: string }[] };
    expect([answer.status, started.length]).toEqual([202, 1]);
    expect((await ask("GET", `/drills/${started[0]!.drillId}`)).body.verdict).toBe("running");
    await deps.settle();
    expect((await ask("GET", `/drills/${started[0]!.drillId}`)).body).toMatchObject({ verdict: "pass", actor: "cron" });
  });
});

describe("drills on demand", () => {
  it("are started by an operator, not by a viewer", async () => {
    const viewer = { app_metadata: { role: "viewer" } };
    expect((await ask("POST", "/drills", {}, viewer)).body).toMatchObject({ code: "forbidden" });
    const started = await ask("POST", "/drills", { archiveId: "latest" });
    expect(started.status).toBe(202);
    await deps.settle();
    expect((await ask("GET", `/drills/${started.body.drillId}`, undefined, viewer)).body).toMatchObject({
      verdict: "pass",
      actor: "olga@example.test",
    });
  });

  it("of an unknown archive, and unknown drills, are problems", async () => {
    expect((await ask("POST", "/drills", { archiveId: "none" })).body).toMatchObject({
      status: 404,
      code: "unknown_archive",
    });
    expect((await ask("GET", "/drills/99999999-9999-4999-8999-999999999999")).body).toMatchObject({
      code: "unknown_drill",
    });
    expect((await ask("GET", "/drills/x")).body).toMatchObject({ status: 400, code: "usage" });
  });

  it("are listed by schedule", async () => {
    const { body } = await ask("GET", "/drills?schedule=minutely");
    expect(new Set(body.items.map((one: { schedule: string }) => one.schedule))).toEqual(new Set(["minutely"]));
  });
});

describe("schedules", () => {
  it("are changed by an operator and read by all", async () => {
    const body = { cron: "0 3 * * *", archiveChoice: "random", enabled: false };
    expect((await ask("PUT", "/schedules/nightly", body)).body).toEqual({ name: "nightly", ...body });
    expect((await ask("GET", "/schedules")).body.items).toContainEqual({ name: "nightly", ...body });
    expect((await ask("PUT", "/schedules/nightly", body, { app_metadata: { role: "viewer" } })).status).toBe(403);
  });

  it.each([
    ["nightly", { cron: "0 25 * * *" }],
    ["nightly", { cron: "0 3 * * *", archiveChoice: "all" }],
    ["No%20Name", { cron: "0 3 * * *" }],
  ])("%s with %j is a usage error", async (name, body) => {
    expect((await ask("PUT", `/schedules/${name}`, body)).body).toMatchObject({ status: 400, code: "usage" });
  });
});
