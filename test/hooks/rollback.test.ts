import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifyAudit } from "../../shared/audit.ts";
import type { Settings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { endMaintenance, maintenanceStatus, startMaintenance } from "../../shared/rollback/hooks/maintenance.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { showIncident } from "../../shared/rollback/incident/show.ts";
import { incidentSchema } from "../../shared/rollback/incident/types.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import { completePolicy, type PolicyFile } from "../../shared/rollback/plan/policy.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { apply, photograph, run, type Whole, withDatabase } from "../rollback/helpers.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { faultyStore } from "../support/faults.ts";
import { soloFile } from "../support/policy.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { type Listener, listen, signedBy } from "./listener.ts";

const secret = `whsec_${Buffer.from("a secret of thirty-two bytes!!!!").toString("base64")}`;
const orders = {
  name: "20250102000000_orders",
  up: "create table orders (id int primary key, note text); insert into orders select n, 'secret note ' || n from generate_series(1, 100) n;",
  down: "drop table orders;",
};

let database: TestDatabase;
let folder: string;
let server: Listener;
let before: Whole;

beforeAll(async () => {
  database = await createDatabase({ installed: true });
  await apply(database.url, orders);
  before = await photograph(database.url);
});
afterAll(() => database.drop());
beforeEach(async () => {
  server = await listen();
  folder = temporaryFolder();
});
afterEach(() => server.close());

function world(file: PolicyFile = {}, settings: Partial<Settings> = {}): Belay {
  const policy = completePolicy({
    ...soloFile,
    ...file,
    hooks: { timeoutMs: 10_000, totalMs: 20_000, ...file.hooks },
    health: { timeoutMs: 10_000, attempts: 1, totalMs: 20_000, ...file.health },
  });
  const store = createFolderStore(folder);
  return testBelay({ database: database.url, store, actor: "anna", settings: { policy, ...settings } });
}

const hooks = () => ({
  hookBefore: `${server.url}/before`,
  hookAfter: `${server.url}/after?key=hidden`,
  hookSecret: secret,
});
const team = () => ({ notifyUrl: `${server.url}/team/hidden-token`, notifySecret: secret });
const request = { migration: orders.name, reason: "wrong release" };
const told = (path: string) => server.on(path).map(({ body }) => JSON.parse(body));
const unchanged = async () => expect(await photograph(database.url)).toEqual(before);
const stored = (...names: string[]) => readFileSync(join(folder, ...names), "utf8");

describe("hooks before and after", () => {
  it("are told, signed, with what begins and how it ended; undo tells them too", async () => {
    const belay = world({}, hooks());
    const ran = await rollBackWithHooks(belay, request);
    expect(ran.around.hooks).toMatchObject([
      { hook: "before", state: "taken", status: 204, attempts: 1, address: new URL(server.url).host },
      { hook: "after", state: "taken", status: 204 },
    ]);
    const [first, second] = server.heard;
    expect([first!.path, second!.path]).toEqual(["/before", "/after?key=hidden"]);
    for (const heard of server.heard) expect(signedBy(heard, secret)).toBe(true);
    expect(signedBy({ ...first!, body: `${first!.body} ` }, secret)).toBe(false);
    expect(first!.headers).toMatchObject({
      "webhook-id": `belay_${ran.rollbackId}_before`,
      "content-type": "application/json",
    });
    expect(JSON.parse(first!.body)).toMatchObject({
      type: "belay.rollback.before",
      data: { rollbackId: ran.rollbackId, migrations: [orders.name], actor: "anna", risk: "HIGH", rows: 100 },
    });
    expect(JSON.parse(second!.body)).toMatchObject({
      type: "belay.rollback.after",
      data: { outcome: "committed", archiveId: ran.archiveId },
    });

    const undo = await undoWithHooks(belay, { rollbackId: ran.rollbackId, reason: "it was right" });
    expect(told("/before")[1]).toMatchObject({ type: "belay.undo.before", data: { kind: "undo" } });
    expect(told("/after?key=hidden")[1]).toMatchObject({ type: "belay.undo.after", data: { outcome: "committed" } });
    const bodies = server.heard.map(({ body }) => body);
    expect(JSON.stringify([ran, undo, bodies])).not.toMatch(/secret note|key=hidden|whsec_/);
    await unchanged();
  });

  it("one before that nobody takes stops the rollback: nothing changed, and the one after says how it ended", async () => {
    server.answer("/before", (_, response) => response.writeHead(500).end());
    const belay = world({ hooks: { attempts: 2 } }, { ...hooks(), ...team() });
    const failure = await rollBackWithHooks(belay, { ...request, maintenance: true }).catch((error) => error);
    expect(failure).toMatchObject({
      code: "hook_failed",
      message: expect.stringMatching(
        /^the before hook at 127\.0\.0\.1:\d+ did not take the call: it answered 500 \(2 attempts\)$/,
      ),
      hint: expect.stringContaining("Nothing was changed"),
    });
    await unchanged();
    const { rollbackId } = failure.details;
    expect(told("/after?key=hidden")).toMatchObject([
      { data: { rollbackId, outcome: "failed", errorCode: "hook_failed" } },
    ]);
    expect(told("/team/hidden-token").map(({ type }) => type)).toEqual([
      "belay.rollback.started",
      "belay.rollback.failed",
    ]);
    expect(await maintenanceStatus(belay)).toMatchObject({ active: false });
    expect(await showIncident(belay, rollbackId)).toMatchObject({
      outcome: "failed",
      error: { code: "hook_failed", hint: expect.stringContaining("Nothing was changed") },
      loss: { tables: [] },
      archive: null,
      undo: { command: null },
    });
    const written = incidentSchema.parse(JSON.parse(stored("incidents", rollbackId, "incident.json")));
    expect(written.timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["intent", "maintenance_on", "hook_before", "failed", "maintenance_off", "hook_after"]),
    );
    expect(stored("incidents", rollbackId, "incident.md")).toContain("The database is as it was before.");
  });
});

describe("a health check that fails after COMMIT", () => {
  it("undoes by policy: the rows are back, and both reports say why", async () => {
    server.answer("/before", (_, response) => response.writeHead(500).end());
    server.answer("/health", (_, response) => response.writeHead(server.on("/health").length === 1 ? 200 : 503).end());
    const checks = [
      { name: "api", url: `${server.url}/health` },
      { name: "orders are there", sql: "select count(*) > 0 from pg_class where relname = 'orders'" },
    ];
    const file: PolicyFile = {
      hooks: { onBeforeFailure: "continue", attempts: 1 },
      health: { checks, onFailure: "undo" },
    };
    const belay = world(file, { ...hooks(), ...team() });
    const ran = await rollBackWithHooks(belay, request);
    expect(ran).toMatchObject({
      outcome: "undone",
      around: {
        hooks: [{ hook: "before", state: "failed" }, { hook: "after" }],
        health: {
          verdict: "failing",
          before: [{ name: "api", healthy: true }, { healthy: true }],
          after: [{ name: "api", healthy: false, status: 503 }, { healthy: false }],
        },
      },
      policyUndo: {
        outcome: "committed",
        evidence: expect.stringMatching(/health check api fails .*it answered 503.*orders are there/),
      },
    });
    expect(ran.notes.join()).not.toContain("pending again");
    await unchanged();
    expect(told("/team/hidden-token").map(({ type, data }) => [type, data.health ?? null])).toEqual([
      ["belay.rollback.started", null],
      ["belay.undo.started", null],
      ["belay.undo.done", "failing_before"],
      ["belay.rollback.undone", "failing"],
    ]);
    const [rollback, undo] = [
      await showIncident(belay, ran.rollbackId),
      await showIncident(belay, ran.policyUndo!.rollbackId),
    ];
    expect(rollback).toMatchObject({
      outcome: "undone",
      summary: expect.stringMatching(/100 rows of 1 table went, .*, and undone by anna \(health check api fails/),
      undo: { command: null, undone: { rollbackId: undo.rollbackId } },
    });
    expect(undo).toMatchObject({
      kind: "undo",
      reason: expect.stringContaining("by policy it is undone"),
      undoes: ran.rollbackId,
    });
    expect(stored("archives", ran.archiveId!, "incident.md")).toContain("**✗** it answered 503");
    const actions = await run(
      database.url,
      `select distinct action, details ->> 'state' as state from belay.audit_log where subject = '${ran.rollbackId}' order by 1, 2`,
    );
    expect(actions).toEqual([
      { action: "health.after", state: "failed" },
      { action: "health.before", state: "done" },
      { action: "hook.after", state: "done" },
      { action: "hook.before", state: "failed" },
    ]);
    expect(await withDatabase(database.url, (session) => verifyAudit(session))).toMatchObject({ ok: true });
  });

  it("undoes nothing when it failed before too; maintenance is on meanwhile, for the role that may read it", async () => {
    const role = `belay_hooks_app_${process.pid}`;
    await run(
      database.url,
      `create role ${role} login password 'app'; grant connect on database ${database.name} to ${role}`,
    );
    const asApp = new URL(database.url);
    [asApp.username, asApp.password] = [role, "app"];
    const ask = () => run(asApp.href, "select * from belay.maintenance_now()");
    await expect(ask()).rejects.toThrow(/permission denied/);
    await run(
      database.url,
      `grant usage on schema belay to ${role}; grant execute on function belay.maintenance_now() to ${role}`,
    );
    expect(await ask()).toEqual([
      { active: false, reason: null, since: null, expected_until: null, rollback_id: null },
    ]);
    await expect(run(asApp.href, "select * from belay.maintenance")).rejects.toThrow(/permission denied/);

    const seen: unknown[] = [];
    for (const path of ["/before", "/after?key=hidden"])
      server.answer(path, async (_, response) => {
        seen.push((await ask())[0]);
        response.end();
      });
    server.answer("/health?key=hidden", (_, response) => response.writeHead(503).end());
    const file: PolicyFile = {
      maintenance: { use: "always", message: "back soon", minutes: 2 },
      health: { onFailure: "undo" },
    };
    const broken = faultyStore(createFolderStore(folder), { failWrite: "incident." });
    const belay = { ...world(file, { ...hooks(), healthUrls: [`${server.url}/health?key=hidden`] }), store: broken };
    const ran = await rollBackWithHooks(belay, request);
    expect(ran).toMatchObject({
      outcome: "committed",
      policyUndo: null,
      around: { health: { verdict: "failing_before" }, maintenance: { used: true } },
    });
    expect(seen).toMatchObject([
      { active: true, reason: "back soon", rollback_id: ran.rollbackId, expected_until: expect.any(Date) },
      { active: false, reason: null },
    ]);
    expect(ran.incident).toMatchObject({
      recorded: true,
      stored: null,
      notes: [expect.stringContaining("is not in the store")],
    });
    expect(JSON.stringify(ran)).not.toContain("hidden");

    await startMaintenance(belay, { message: "moving house", minutes: 30 });
    const undo = await undoWithHooks(belay, { rollbackId: ran.rollbackId, reason: "it was right" });
    expect(undo.around.maintenance).toEqual({ used: false, evidence: "anna had switched it on, and it stays on" });
    expect(await maintenanceStatus(belay)).toMatchObject({
      active: true,
      reason: "moving house",
      rollbackId: null,
      setBy: "anna",
    });
    await endMaintenance(belay);
    await unchanged();
    await run(database.url, `drop owned by ${role}; drop role ${role}`);
  });
});

describe("what goes wrong around a rollback", () => {
  it("costs neither record nor maintenance when its connection is cut; an undo by policy that meets a conflict says so", async () => {
    server.answer("/health", (_, response) => response.writeHead(server.on("/health").length === 1 ? 200 : 503).end());
    server.answer("/after?key=hidden", async (_, response) => {
      await run(database.url, "create table if not exists orders (id text); insert into orders values ('newer')");
      response.end();
    });
    const checks = [{ name: "api", url: `${server.url}/health` }];
    const belay = world({ health: { checks, onFailure: "undo" } }, { ...hooks(), ...team() });
    const ran = await rollBackWithHooks(belay, { ...request, maintenance: true }, async (point) => {
      if (point !== "locked") return;
      const cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'belay around'";
      await run(database.url, `${cut} and datname = current_database()`);
    });
    expect(ran).toMatchObject({
      outcome: "committed",
      around: {
        maintenance: { used: true },
        health: { verdict: "failing" },
        notices: [{ about: "started" }, { about: "done" }],
      },
      policyUndo: {
        outcome: "failed",
        evidence: expect.stringMatching(/and the undo failed: \[(undo_conflict|gate_failed)\]/),
      },
      incident: { recorded: true, notes: [] },
    });
    expect(JSON.stringify(ran)).not.toContain("hidden");
    expect(told("/team/hidden-token").at(-1)).toMatchObject({
      type: "belay.rollback.done",
      text: expect.stringContaining("The undo that the policy asks for failed"),
    });
    expect(await maintenanceStatus(belay)).toMatchObject({ active: false });
    const incident = await showIncident(belay, ran.rollbackId);
    expect(incident.timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        "intent",
        "maintenance_on",
        "locked",
        "archived",
        "sql",
        "guarded",
        "committed",
        "maintenance_off",
      ]),
    );
    expect(incident).toMatchObject({ outcome: "committed", undo: { command: expect.stringContaining("belay undo") } });
    expect(await showIncident(belay, "latest")).toMatchObject({
      kind: "undo",
      outcome: "failed",
      undoes: ran.rollbackId,
    });

    server.answer("/after?key=hidden", (_, response) => response.end());
    await run(database.url, "drop table orders");
    await undoWithHooks(belay, { rollbackId: ran.rollbackId, reason: "by hand" });
    await unchanged();
  });
});

describe("a process that is killed", () => {
  it("between COMMIT and the after hook: maintenance is off for readers by its time, and the next run settles the rest", async () => {
    const script = new URL("./kill-child.ts", import.meta.url).pathname;
    const words = [script, database.url, folder, orders.name, "committed", JSON.stringify(hooks())];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout!, "data");
    const belay = world({}, hooks());
    const killed = await showIncident(belay, "latest");
    expect(killed).toMatchObject({ outcome: "committed", actor: "killed", archive: { rows: 100 } });
    expect(await maintenanceStatus(belay)).toMatchObject({ active: true, rollbackId: killed.rollbackId });

    // While it lives its work is left to it.
    const again = { rollbackId: killed.rollbackId, reason: "it was right" };
    const other = await undoWithHooks(belay, again).catch((error) => error);
    expect(other).toMatchObject({ code: "rollback_in_progress", message: expect.stringContaining("with its hooks") });
    expect(told("/before")).toHaveLength(1);
    expect(told("/after?key=hidden")).toEqual([]);
    expect(await maintenanceStatus(belay)).toMatchObject({ active: true });

    child.kill("SIGKILL");
    await once(child, "exit");
    await run(database.url, "update belay.maintenance set expected_until = clock_timestamp()");
    expect(await run(database.url, "select active from belay.maintenance_now()")).toEqual([{ active: false }]);

    const undo = await undoWithHooks(belay, again);
    expect(told("/after?key=hidden")).toMatchObject([
      { data: { rollbackId: undo.rollbackId } },
      { data: { rollbackId: killed.rollbackId, outcome: "undone" } },
    ]);
    expect(await run(database.url, "select active from belay.maintenance")).toEqual([{ active: false }]);
    const incident = incidentSchema.parse(JSON.parse(stored("archives", killed.archive!.id, "incident.json")));
    expect(incident.timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        "intent",
        "maintenance_on",
        "hook_before",
        "locked",
        "archived",
        "committed",
        "hook_after",
        "undone",
      ]),
    );
    expect(
      await run(
        database.url,
        "select count(*)::int as n from belay.rollbacks r left join belay.incidents i on i.rollback_id = r.id where i.incident is null",
      ),
    ).toEqual([{ n: 0 }]);
    await unchanged();
  }, 60_000);
});
