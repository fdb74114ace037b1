import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionConfig } from "../../functions/config.ts";
import { createRollbacksApp } from "../../functions/rollbacks/app.ts";
import { completePolicy, defaultPolicy } from "../../shared/rollback/plan/policy.ts";
import { apply, photograph, run } from "../rollback/helpers.ts";
import { testDeps } from "./deps.ts";
import { customers, orders } from "./shop.ts";
import { supabaseUrl, type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let app: ReturnType<typeof createRollbacksApp>;
let receiver: Server;
/** Messages that the team's address got, and the status that it answers with. */
const team = { messages: [] as { type: string; text: string; data: { planHash: string } }[], status: 200 };

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  receiver = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      team.messages.push(JSON.parse(text));
      response.writeHead(team.status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook/secret`;
  const belay = (actor: string, subject?: string) => world.belay(actor, subject, defaultPolicy);
  app = createRollbacksApp(testDeps(tokens, belay, { notify: { url, secret: null } }));
  await apply(world.url, customers, orders);
});
afterAll(async () => {
  receiver.close();
  await world.drop();
});

const person = (name: string, role = "approver") => ({
  sub: `${name.padEnd(8, "0").slice(0, 8)}-0000-4000-8000-000000000000`,
  email: `${name}@example.test`,
  app_metadata: { role },
});
const [olga, nora] = [person("olga"), person("nora")];

async function post(path: string, body: unknown, claims: Record<string, unknown>) {
  const answer = await app.request(`/rollbacks${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${await tokens.token(claims)}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  return { status: answer.status, body: (await answer.json()) as any };
}

const migration = orders.name;
const planned = async (claims: Record<string, unknown> = olga) => (await post("/plans", { migration }, claims)).body;
const approved = (plan: { gates: { name: string }[] }) => plan.gates.find(({ name }) => name === "approved");
const approve = async (claims: Record<string, unknown>, planHash?: string) =>
  post("/plans/approve", { migration, planHash: planHash ?? (await planned()).hash, reason: "looked at it" }, claims);
const execute = async (claims: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  post("/rollbacks", { migration, planHash: (await planned()).hash, reason: "bad deploy", ...more }, claims);

describe("over HTTP, a HIGH rollback", () => {
  it("is not executed without a second person: 409 names the gate and what satisfies it", async () => {
    const before = await photograph(world.url);
    const { status, body } = await execute(olga);
    expect([status, body.code]).toEqual([409, "gate_failed"]);
    expect(body.details.gates).toMatchObject([{ name: "approved", state: "failed", requirement: "required" }]);
    expect(body.hint).toMatch(/POST \/rollbacks\/plans\/approve as a user with the role approver/);
    expect(await photograph(world.url)).toEqual(before);
  });

  it.each([
    ["the role operator", person("opal", "operator")],
    ["the role viewer", person("vera", "viewer")],
    ["no second factor", { ...nora, aal: "aal1" }],
  ])("is not approved with %s", async (_, claims) => {
    expect((await approve(claims)).body).toMatchObject({ status: 403, code: "forbidden" });
    expect(await run(world.url, "select * from belay.approvals")).toEqual([]);
  });

  it("is not approved blindly: the hash of another plan, no reason, an unknown gate", async () => {
    expect((await approve(nora, "f".repeat(64))).body).toMatchObject({ status: 409, code: "plan_changed" });
    const { hash: planHash } = await planned();
    for (const body of [
      { migration, planHash, reason: " " },
      { migration, reason: "x" },
      { migration, planHash, reason: "x", waive: ["syntax"] },
    ])
      expect((await post("/plans/approve", body, nora)).body).toMatchObject({ status: 400, code: "usage" });
    expect((await post("/plans", { migration, waive: ["provenance"] }, nora)).body).toMatchObject({
      status: 400,
      code: "usage",
    });
  });

  it("is not executed by the one who approved it, under another address either", async () => {
    expect((await approve(olga)).body).toMatchObject({
      actor: "olga@example.test",
      signedIn: true,
      risk: "HIGH",
      rows: 400,
      blocking: [],
    });
    for (const email of ["olga@example.test", "olga.other@example.test"]) {
      const { body } = await execute({ ...olga, email });
      expect(body).toMatchObject({
        status: 409,
        code: "gate_failed",
        detail: expect.stringMatching(/the same person as the one who rolls back/),
      });
    }
  });

  it("is told to the team: taken is evidence of this plan, refused is none", async () => {
    team.status = 500;
    expect((await post("/plans/notify", { migration }, olga)).body).toMatchObject({
      status: 502,
      code: "notification_failed",
    });
    expect((await planned()).checklist.at(-1)).toMatchObject({ id: "team_told", answer: "no" });
    team.status = 204;
    const sent = await post("/plans/notify", { migration, reason: "points were counted twice" }, olga);
    expect(sent.body).toMatchObject({ status: 204, planHash: (await planned()).hash });
    expect(JSON.stringify(sent.body)).not.toContain("secret");
    expect(team.messages.at(-1)).toMatchObject({
      type: "belay.plan",
      text: expect.stringMatching(
        /olga@example\.test plans to roll back 1 migration: points were counted twice[\s\S]*HIGH[\s\S]*400 rows/,
      ),
      data: { planHash: sent.body.planHash },
    });
    expect((await planned()).checklist.at(-1)).toMatchObject({ answer: "yes" });
    expect((await post("/plans/notify", { migration }, person("vera", "viewer"))).status).toBe(403);
  });

  it("is executed by another one, and the report names who agreed and answers the checklist", async () => {
    expect((await approve(nora)).status).toBe(200);
    expect(approved(await planned(nora))).toMatchObject({
      state: "passed",
      evidence: expect.stringMatching(/olga@example/),
    });
    expect(approved(await planned())).toMatchObject({
      state: "passed",
      evidence: expect.stringMatching(/nora@example/),
    });
    const { status, body } = await execute(olga, { plannedRows: 400 });
    expect([status, body.outcome]).toEqual([200, "committed"]);
    expect(body.notes.join("\n")).toMatch(/approved by nora@example\.test \(signed in\).*looked at it/);
    expect(body.checklist[2]).toMatchObject({
      answer: "yes",
      evidence: expect.stringMatching(/^archive rollback-.*public\.orders: 400 rows/),
    });
    const audit = await run(
      world.url,
      "select actor, action from belay.audit_log where action in ('plan.approved', 'team.notified') order by id",
    );
    expect(audit.map(({ actor, action }) => `${action} ${String(actor).split("@")[0]}`)).toEqual([
      "plan.approved olga",
      "team.notified olga",
      "plan.approved nora",
    ]);
  });
});

describe("a function's policy", () => {
  const environment = { SUPABASE_URL: supabaseUrl };
  it("is the text of BELAY_POLICY_JSON, else the default", () => {
    expect(functionConfig(environment).settings.policy).toEqual(defaultPolicy);
    const file = { gates: { approved: "advised" as const }, limits: { criticalSectionMs: 900 } };
    const { settings } = functionConfig({ ...environment, BELAY_POLICY_JSON: JSON.stringify(file) });
    expect(settings.policy).toEqual(completePolicy(file));
    expect(settings.criticalSectionMs).toBe(900);
  });

  it("that is wrong stops the function with the place", () => {
    for (const text of ["{", '{"gate": 1}'])
      expect(() => functionConfig({ ...environment, BELAY_POLICY_JSON: text })).toThrow(
        /policy BELAY_POLICY_JSON is not/,
      );
  });
});
