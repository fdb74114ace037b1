import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DenoFunction, startFunction } from "../../dev/deno.ts";
import { type Listener, listen, signedBy } from "../hooks/listener.ts";
import { apply, photograph } from "../rollback/helpers.ts";
import { soloFile } from "../support/policy.ts";
import { testBucket } from "../support/s3.ts";
import { cronKey } from "./deps.ts";
import { customers, orders } from "./shop.ts";
import { supabaseUrl, type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let rollbacks: DenoFunction;
let drills: DenoFunction;
let webhooks: DenoFunction;
let listener: Listener;
const hookSecret = `whsec_${Buffer.from("a secret of hooks").toString("base64")}`;

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  listener = await listen();
  await apply(world.url, customers, orders);
  const bucket = testBucket();
  const environment = {
    SUPABASE_URL: supabaseUrl,
    SUPABASE_DB_URL: world.url,
    SUPABASE_JWKS: JSON.stringify(tokens.jwks),
    SUPABASE_SECRET_KEYS: JSON.stringify({ cron: cronKey }),
    BELAY_STORE: bucket.url,
    BELAY_POLICY_JSON: JSON.stringify(soloFile),
    BELAY_SCRATCH_URL: world.scratchUrl,
    BELAY_VERCEL_SECRET: "vercel-s3cret",
    BELAY_HOOK_BEFORE: `${listener.url}/before`,
    BELAY_HOOK_AFTER: `${listener.url}/after`,
    BELAY_HOOK_SECRET: hookSecret,
    BELAY_HEALTH_URL: `${listener.url}/health`,
    BELAY_NOTIFY_URL: `${listener.url}/team`,
    AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
  };
  const start = (name: string) => startFunction(`supabase/functions/${name}/index.ts`, environment);
  [rollbacks, drills, webhooks] = await Promise.all([start("rollbacks"), start("drills"), start("webhooks")]);
});
afterAll(async () => {
  await Promise.all([rollbacks, drills, webhooks].map((one) => one?.stop()));
  await listener.close();
  await world.drop();
});

async function ask(url: string, method: "GET" | "POST", body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${await tokens.token()}`, "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  return { status: answer.status, body: (await answer.json()) as any };
}

async function finished(drillId: string) {
  for (let waited = 0; waited < 60_000; waited += 200) {
    const { body } = await ask(`${drills.url}/drills/drills/${drillId}`, "GET");
    if (body.verdict !== "running") return body;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the drill ${drillId} does not end:\n${drills.log()}`);
}

describe("the entry points under Deno with an edge function's permissions, archives in S3", () => {
  it("rollbacks: roll back over HTTP, undo, and everything is as before", async () => {
    const before = await photograph(world.url);
    const base = `${rollbacks.url}/rollbacks`;
    const plan = await ask(`${base}/plans`, "POST", { migration: orders.name });
    expect(plan.body).toMatchObject({ canRollBack: true, risk: expect.any(String) });
    const request = { migration: orders.name, planHash: plan.body.hash, reason: "wrong release", maintenance: true };
    const key = { "idempotency-key": "deno-1" };
    const done = await ask(`${base}/rollbacks`, "POST", request, key);
    expect(done.body, rollbacks.log()).toMatchObject({
      outcome: "committed",
      tables: [{ table: "orders", rows: 400 }],
    });
    expect(await ask(`${base}/rollbacks`, "POST", request, key)).toEqual(done);
    expect((await photograph(world.url)).tables["public.orders"]).toBeUndefined();
    expect(done.body.around, rollbacks.log()).toMatchObject({
      maintenance: { used: true },
      hooks: [
        { hook: "before", state: "taken" },
        { hook: "after", state: "taken" },
      ],
      health: { verdict: "healthy" },
    });
    const calls = [...listener.on("/before"), ...listener.on("/after")];
    expect(calls.map((heard) => signedBy(heard, hookSecret))).toEqual([true, true]);
    expect(listener.on("/team")).toHaveLength(2);
    const incident = await ask(`${base}/rollbacks/${done.body.rollbackId}/incident`, "GET");
    expect(incident.body).toMatchObject({
      format: "belay-incident/1",
      loss: { tables: [{ name: "public.orders", rows: 400 }] },
    });
    expect((await ask(`${base}/rollbacks/latest/incident`, "GET")).body.rollbackId).toBe(done.body.rollbackId);
    const manifest = await ask(`${base}/archives/${done.body.archiveId}`, "GET");
    expect(manifest.body.tables).toMatchObject([{ table: "orders", rows: 400 }]);

    const started = await ask(`${drills.url}/drills/drills`, "POST", { archiveId: done.body.archiveId });
    expect(await finished(started.body.drillId), drills.log()).toMatchObject({ verdict: "pass" });

    const undone = await ask(`${base}/rollbacks/${done.body.rollbackId}/undo`, "POST", { reason: "it was right" });
    expect(undone.body, rollbacks.log()).toMatchObject({ kind: "undo", outcome: "committed" });
    expect(await photograph(world.url)).toEqual(before);
  });

  it("rollbacks: a request without a token is a problem document", async () => {
    const answer = await fetch(`${rollbacks.url}/rollbacks/migrations`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
    expect(await answer.json()).toMatchObject({ code: "unauthenticated" });
  });

  it("drills: a tick answers at once and the drill that is due passes", async () => {
    await world.session.run("insert into belay.schedules (name, cron) values ('minutely', '* * * * *')");
    const began = Date.now();
    const answer = await fetch(`${drills.url}/drills/tick`, { method: "POST", headers: { apikey: cronKey } });
    expect([answer.status, Date.now() - began < 5_000]).toEqual([202, true]);
    const { started } = (await answer.json()) as { started: { drillId: string }[] };
    expect(await finished(started[0]!.drillId)).toMatchObject({ verdict: "pass", schedule: "minutely" });
  });

  it("webhooks: takes a signed delivery, refuses an unsigned one, and knows one again", async () => {
    const event = {
      id: "evt_deno",
      type: "deployment.error",
      createdAt: Date.now(),
      payload: { target: "production" },
    };
    const body = JSON.stringify(event);
    const signature = createHmac("sha1", "vercel-s3cret").update(body).digest("hex");
    const send = (given: string) =>
      fetch(`${webhooks.url}/webhooks/vercel`, { method: "POST", body, headers: { "x-vercel-signature": given } });
    expect((await send("00")).status).toBe(401);
    expect((await send(signature)).status).toBe(202);
    expect((await send(signature)).status).toBe(200);
    const [row] = await world.session.sql`select status from belay.deployments`;
    expect(row).toMatchObject({ status: "failed" });
  });
});
