import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { maxBodyBytes } from "../../functions/app.ts";
import { createWebhooksApp } from "../../functions/webhooks/app.ts";
import { respondToFailures } from "../../shared/deployments/respond.ts";
import { standardSignature, verifyStandard } from "../../shared/deployments/signatures.ts";
import { type TestDeps, testDeps } from "./deps.ts";
import { tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

const vercelSecret = "vercel-s3cret";
const secret = `whsec_${Buffer.from("standard webhooks key 012345").toString("base64")}`;
const notifySecret = `whsec_${Buffer.from("notification key 0123456789").toString("base64")}`;

interface Notice {
  readonly headers: Record<string, string>;
  readonly raw: string;
  readonly body: {
    text: string;
    data: { plans: { migration: string; canRollBack: boolean; planHash: string | null }[] };
  };
}

let world: World;
let deps: TestDeps;
let app: ReturnType<typeof createWebhooksApp>;
let receiver: Server;
let notifyUrl: string;
let notices: Notice[] = [];
let receiverStatus = 200;

beforeAll(async () => {
  world = await makeWorld();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString();
      if (receiverStatus === 200)
        notices.push({ headers: request.headers as Record<string, string>, raw, body: JSON.parse(raw) });
      response.writeHead(receiverStatus).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  notifyUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  deps = testDeps(await tokenMaker(), world.belay, {
    webhooks: { vercelSecret, standardSecret: secret },
    notify: { url: notifyUrl, secret: notifySecret },
  });
  app = createWebhooksApp(deps);
});
afterAll(async () => {
  receiver.close();
  await world.drop();
});
beforeEach(async () => {
  notices = [];
  receiverStatus = 200;
  await world.session.run(`delete from belay.deployments; delete from belay.webhook_deliveries;
    delete from belay.migration_history`);
});

async function post(path: string, body: string, headers: Record<string, string>) {
  const answer = await app.request(`/webhooks${path}`, { method: "POST", body, headers });
  const status = answer.status;
  const json = (await answer.json()) as Record<string, unknown>;
  await deps.settle();
  return { status, body: json };
}

function vercel(event: Record<string, unknown>, signature?: string) {
  const body = JSON.stringify(event);
  const good = createHmac("sha1", vercelSecret).update(body).digest("hex");
  return post("/vercel", body, { "x-vercel-signature": signature ?? good });
}

function standard(event: Record<string, unknown>, options: { id?: string; at?: number; signature?: string } = {}) {
  const body = JSON.stringify(event);
  const id = options.id ?? `msg_${Math.random()}`;
  const timestamp = String(Math.floor((options.at ?? Date.now()) / 1000));
  const good = standardSignature(Buffer.from(body), { id, timestamp }, secret);
  return post("/standard", body, {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": options.signature ?? good,
  });
}

function vercelFailure(id: string, target: string | null = "production") {
  return { id, type: "deployment.error", createdAt: Date.now(), payload: { target, deployment: { id: `dpl_${id}` } } };
}

async function applied(name: string, agoMinutes: number, rollbackSql: string | null = "drop table t;") {
  await world.session.sql`
    insert into belay.migration_history (migration_name, migration_version, applied_at, rollback_sql, checksum)
    values (${name}, ${name.split("_")[0]!}, now() - make_interval(mins => ${agoMinutes}), ${rollbackSql}, ${"0".repeat(64)})`;
}

async function recorded() {
  const { sql } = world.session;
  const [counts] = await sql`
    select (select count(*)::int from belay.deployments) as deployments,
      (select count(*)::int from belay.webhook_deliveries) as deliveries`;
  return { deployments: counts!.deployments as number, deliveries: counts!.deliveries as number };
}

async function deployment() {
  const [row] = await world.session.sql`select * from belay.deployments order by created_at desc limit 1`;
  return row!;
}

describe("a delivery without a valid signature gets 401 and leaves nothing", () => {
  it("from Vercel: wrong, empty, or of another body", async () => {
    for (const signature of ["", "00", createHmac("sha1", vercelSecret).update("{}").digest("hex")]) {
      const answer = await vercel(vercelFailure("evt_bad"), signature);
      expect(answer).toMatchObject({ status: 401, body: { code: "signature_invalid" } });
    }
    expect(await recorded()).toEqual({ deployments: 0, deliveries: 0 });
  });

  it("by Standard Webhooks: wrong, old, from the future, without headers", async () => {
    const event = { type: "deployment.failed", data: { id: "d" } };
    expect((await standard(event, { signature: "v1,AAAA" })).status).toBe(401);
    expect((await standard(event, { at: Date.now() - 301_000 })).status).toBe(401);
    expect((await standard(event, { at: Date.now() + 305_000 })).status).toBe(401);
    expect((await post("/standard", JSON.stringify(event), {})).status).toBe(401);
    expect(await recorded()).toEqual({ deployments: 0, deliveries: 0 });
  });

  it("where no secret is set, nobody is trusted", async () => {
    const bare = createWebhooksApp({ ...deps, webhooks: { vercelSecret: null, standardSecret: null } });
    const body = JSON.stringify(vercelFailure("evt_none"));
    const signature = createHmac("sha1", "").update(body).digest("hex");
    const answer = await bare.request("/webhooks/vercel", {
      method: "POST",
      body,
      headers: { "x-vercel-signature": signature },
    });
    expect(answer.status).toBe(401);
  });

  it("a huge body is refused before it is read to its end", async () => {
    const answer = await post("/vercel", "x".repeat(maxBodyBytes + 1), { "x-vercel-signature": "00" });
    expect(answer).toMatchObject({ status: 413, body: { code: "body_too_large" } });
  });
});

describe("a signed delivery", () => {
  it("that is no deployment event is a usage error and leaves nothing", async () => {
    expect((await vercel({ hello: "world" })).body).toMatchObject({ status: 400, code: "usage" });
    expect(await recorded()).toEqual({ deployments: 0, deliveries: 0 });
  });

  it("is accepted with 202 and put on record", async () => {
    const answer = await standard({ type: "deployment.succeeded", data: { id: "d1", environment: "production" } });
    expect(answer).toMatchObject({ status: 202, body: { received: true, replayed: false, status: "succeeded" } });
    expect(await deployment()).toMatchObject({ external_id: "d1", status: "succeeded", target: "production" });
    expect(notices).toEqual([]);
  });

  it("that comes again does nothing and says so, ten times at once too", async () => {
    const event = vercelFailure("evt_again");
    const answers = await Promise.all(Array.from({ length: 10 }, () => vercel(event)));
    expect(answers.filter((answer) => answer.status === 202).length).toBe(1);
    expect(answers.filter((answer) => answer.status === 200 && answer.body.replayed === true).length).toBe(9);
    expect(await recorded()).toEqual({ deployments: 1, deliveries: 1 });
    expect(notices.length).toBe(1);
  });

  it("accepts one good signature among several", async () => {
    const body = JSON.stringify({ type: "deployment.failed", data: { id: "d2", target: "preview" } });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const good = standardSignature(Buffer.from(body), { id: "m", timestamp }, secret);
    const headers = { "webhook-id": "m", "webhook-timestamp": timestamp, "webhook-signature": `v1,old= ${good}` };
    expect((await post("/standard", body, headers)).status).toBe(202);
  });
});

describe("a failed production deployment", () => {
  it("has the rollbacks of what came since the last good one planned, newest first, and the team told", async () => {
    await applied("20260101000000_old", 120);
    await standard({
      type: "deployment.succeeded",
      timestamp: new Date(Date.now() - 60 * 60_000).toISOString(),
      data: { id: "good", target: "production" },
    });
    await applied("20260102000000_first", 30);
    await applied("20260103000000_second", 20, null);
    await vercel(vercelFailure("evt_fail"));

    const row = await deployment();
    expect(row.plans.map((plan: { migration: string }) => plan.migration)).toEqual([
      "20260103000000_second",
      "20260102000000_first",
    ]);
    expect(row.plans[0]).toMatchObject({ canRollBack: false });
    expect(row.plans[0].blockingReason).toMatch(/rollback SQL/i);
    expect(row.notified_at).not.toBeNull();
    expect(notices.length).toBe(1);
    const { headers, raw, body } = notices[0]!;
    expect(body.text).toContain("20260102000000_first");
    expect(body.text).not.toContain("20260101000000_old");
    expect(body.data.plans).toEqual(row.plans);
    const signed = {
      id: headers["webhook-id"]!,
      timestamp: headers["webhook-timestamp"]!,
      signature: headers["webhook-signature"]!,
    };
    expect(verifyStandard(Buffer.from(raw), signed, notifySecret, new Date())).toBe(true);
    const [audit] = await world.session.sql`select * from belay.audit_log where subject = ${row.id}`;
    expect(audit).toMatchObject({ action: "deployment.planned", actor: "webhook:vercel" });
  });

  it("without a migration since then says: roll back the application only", async () => {
    await vercel(vercelFailure("evt_app"));
    expect(notices[0]!.body.text).toMatch(/application only/);
  });

  it("that was a preview is recorded, and nobody is told", async () => {
    await vercel(vercelFailure("evt_preview", null));
    await vercel(vercelFailure("evt_preview2", "preview"));
    expect((await recorded()).deployments).toBe(2);
    expect(notices).toEqual([]);
  });

  it("is told later when the address did not answer, once", async () => {
    receiverStatus = 500;
    await vercel(vercelFailure("evt_late"));
    expect((await deployment()).notified_at).toBeNull();
    receiverStatus = 200;
    const target = { url: notifyUrl, secret: notifySecret };
    await Promise.all([1, 2, 3].map(() => respondToFailures(world.belay(), target)));
    expect((await deployment()).notified_at).not.toBeNull();
    expect(notices.length).toBe(1);
  });

  it("without an address to tell has its plans on record once", async () => {
    const quiet = createWebhooksApp({ ...deps, notify: null });
    const body = JSON.stringify(vercelFailure("evt_quiet"));
    const signature = createHmac("sha1", vercelSecret).update(body).digest("hex");
    await quiet.request("/webhooks/vercel", { method: "POST", body, headers: { "x-vercel-signature": signature } });
    await deps.settle();
    await respondToFailures(world.belay(), null);
    const rows = await world.session.sql`select * from belay.audit_log where subject = ${(await deployment()).id}`;
    expect(rows.length).toBe(1);
  });
});
