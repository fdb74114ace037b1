import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import type { Settings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { respondToFailures } from "../../shared/deployments/respond.ts";
import { approvePlan } from "../../shared/rollback/agree/approve.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { completePolicy, defaultPolicy, type PolicyFile } from "../../shared/rollback/plan/policy.ts";
import type { Gate, Plan } from "../../shared/rollback/types.ts";
import { openStore } from "../../shared/store/open.ts";
import { apply, type Pair, photograph, run } from "../rollback/helpers.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

const orders: Pair = {
  name: "20250102_orders",
  up: "create table orders (id int primary key, cents int); insert into orders select n, n from generate_series(1, 300) n;",
  down: "drop table orders;",
};
const others: Pair = { name: "20250103_others", up: "create table others (id int);", down: "drop table others;" };

let database: TestDatabase;
const folder = temporaryFolder();
const store = openStore(pathToFileURL(folder).href);
const dba = `gates_dba_${process.pid}`;

beforeAll(async () => {
  database = await createDatabase({ installed: true });
  await apply(database.url, orders, others);
  await run(database.url, `create role ${dba} superuser login password 'second'`);
});
afterAll(async () => {
  await run(database.url, `drop role ${dba}`);
  await database.drop();
});

function belayOf(
  actor = "ann",
  options: { file?: PolicyFile; role?: string; settings?: Partial<Settings> } = {},
): Belay {
  const url = new URL(database.url);
  if (options.role !== undefined) [url.username, url.password] = [options.role, "second"];
  const policy = options.file === undefined ? defaultPolicy : completePolicy(options.file);
  return testBelay({ database: url.href, store, actor, settings: { policy, ...options.settings } });
}
const planOf = (belay = belayOf(), waive: string[] = []) => planRollback(belay, { migration: orders.name, waive });
const gate = (plan: Plan, name: Gate["name"]) => plan.gates.find((each) => each.name === name)!;
const refused = (belay: Belay, more: object = {}) =>
  executeRollback(belay, { migration: orders.name, reason: "bad deploy", ...more }).then(
    () => "done",
    (error) => error as { code: string; message: string; hint: string; details: Record<string, unknown> },
  );

describe("evidence in the database and the store", () => {
  it("a dump of this database is a fresh backup; one of another database is none", async () => {
    expect(gate(await planOf(), "backup_fresh")).toMatchObject({ state: "failed", next: "Take one: belay dump." });
    const elsewhere = await createDatabase({ installed: true });
    await apply(elsewhere.url, orders);
    await dumpDatabase(testBelay({ database: elsewhere.url, store }), { reason: "test" });
    await elsewhere.drop();
    expect(gate(await planOf(), "backup_fresh")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/of this database/),
    });
    const { id } = await dumpDatabase(belayOf(), { reason: "test" });
    expect(gate(await planOf(), "backup_fresh")).toMatchObject({
      state: "passed",
      evidence: expect.stringContaining(id),
    });
  });

  it("a store that does not answer is unknown, and no error", async () => {
    const silent = new Proxy(store, {
      get: (target, name) =>
        name === "listFolders"
          ? () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })
          : Reflect.get(target, name, target),
    });
    const belay = { ...belayOf(), store: silent };
    expect(gate(await planRollback(belay, { migration: orders.name }), "backup_fresh")).toMatchObject({
      state: "unknown",
      evidence: "the archive store did not answer within 3 s",
    });
  });

  it("a drill on record, and one since that found the backup bad", async () => {
    const drill = (verdict: string, minutes: number) => `
      insert into belay.drills (archive_id, verdict, summary, actor, started_at, finished_at)
      values ('dump-x', '${verdict}', 'rows are lost', 'cron', now() - interval '${minutes + 1} minutes', now() - interval '${minutes} minutes')`;
    expect(gate(await planOf(), "restore_tested").state).toBe("failed");
    await run(database.url, drill("pass", 90));
    expect(gate(await planOf(), "restore_tested")).toMatchObject({
      state: "passed",
      evidence: expect.stringMatching(/earlier archive: dump-x, 90 minutes ago/),
    });
    await run(database.url, drill("backup_bad", 5));
    expect(gate(await planOf(), "restore_tested")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/rows are lost/),
    });
    // One of a rollback's archive says nothing of backups.
    await run(database.url, drill("pass", 1).replace("'dump-x'", "'rollback-x'"));
    expect(gate(await planOf(), "restore_tested").state).toBe("failed");
  });

  it("a proof of this very SQL, and none of another text", async () => {
    const sha = (text: string) => createHash("sha256").update(text).digest("hex");
    const prove = (down: string, verdict: string) =>
      run(
        database.url,
        `insert into belay.proofs (migration_name, checksum, rollback_checksum, verdict)
         values ('${orders.name}', '${sha(orders.up)}', '${sha(down)}', '${verdict}')`,
      );
    await prove("drop table orders cascade;", "exact");
    expect(gate(await planOf(), "rehearsed")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/another text/),
    });
    await prove(orders.down, "residue");
    expect(gate(await planOf(), "rehearsed")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/residue/),
    });
    await prove(orders.down, "exact");
    expect(gate(await planOf(), "rehearsed").state).toBe("passed");
  });
});

describe("four eyes, on the command line's connection", () => {
  afterEach(() =>
    run(
      database.url,
      `alter table belay.approvals disable trigger append_only; delete from belay.approvals;
       alter table belay.approvals enable always trigger append_only`,
    ),
  );

  it("is not had by one's own approval, whatever --actor says, nor by a row written by hand", async () => {
    const { hash } = await planOf();
    await approvePlan(belayOf("bob"), { migration: orders.name, planHash: hash, reason: "I am not ann" });
    await run(
      database.url,
      `insert into belay.approvals (plan_hash, migration_name, actor, database_role, decision, reason, rows, created_at)
       values ('${hash}', '${orders.name}', 'carl', '${dba}', 'approved', 'forged', 300, now() + interval '1 year')`,
    );
    const [forged] = await run(
      database.url,
      "select database_role::text as role, created_at < now() + interval '1 hour' as now from belay.approvals where actor = 'carl'",
    );
    expect(forged).toEqual({ role: "postgres", now: true });
    const before = await photograph(database.url);
    expect(await refused(belayOf())).toMatchObject({
      code: "gate_failed",
      message: expect.stringMatching(/approved: .*bob \(database role postgres\): from behind the same database role/),
      hint: expect.stringMatching(/belay approve 20250102_orders --plan [\s\S]*--waive approved/),
    });
    expect(await photograph(database.url)).toEqual(before);
  });

  it("is not had by the approval of an earlier plan, and says so", async () => {
    const second = belayOf("bob", { role: dba });
    const { hash: planHash } = await planOf(second);
    await approvePlan(second, { migration: orders.name, planHash, reason: "looked at it" });
    expect(gate(await planOf(), "approved").state).toBe("passed");
    await run(database.url, "alter table orders add column note text");
    const after = await planOf();
    expect(gate(after, "approved")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/of another plan \(.*the plan changed since/),
    });
    await expect(approvePlan(second, { migration: orders.name, planHash, reason: "again" })).rejects.toMatchObject({
      code: "plan_changed",
    });
    await run(database.url, "alter table orders drop column note");
  });

  it("is not had by an approval under another policy or with other waivers", async () => {
    const second = belayOf("bob", { role: dba, file: { drill: { maxAgeDays: 3 } } });
    const { hash: planHash } = await planOf(second);
    await approvePlan(second, { migration: orders.name, planHash, reason: "under my own policy" });
    expect(gate(await planOf(), "approved").evidence).toMatch(/or has other waivers or another policy/);
    expect(gate(await planOf(belayOf(), ["end_state"]), "approved").state).toBe("failed");
  });

  it("expires, and rows of approvals and notifications cannot be changed", async () => {
    const second = belayOf("bob", { role: dba });
    const { hash: planHash } = await planOf(second);
    await approvePlan(second, { migration: orders.name, planHash, reason: "looked at it" });
    expect(gate(await planOf(), "approved").state).toBe("passed");
    for (const sql of [
      "update belay.approvals set plan_hash = ''",
      "delete from belay.approvals",
      "truncate belay.approvals",
      "set session_replication_role = replica; delete from belay.approvals",
    ])
      await expect(run(database.url, sql), sql).rejects.toThrow(/belay\.approvals is append-only/);
    await expect(run(database.url, "truncate belay.notifications")).rejects.toThrow(/append-only/);
    await run(
      database.url,
      `alter table belay.approvals disable trigger append_only;
       update belay.approvals set created_at = created_at - interval '25 hours';
       alter table belay.approvals enable always trigger append_only`,
    );
    expect(gate(await planOf(), "approved")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/older than 24 hours/),
    });
  });

  it("over HTTP ends when Supabase Auth takes the role away or bans the user", async () => {
    const subject = "22222222-2222-4222-8222-222222222222";
    const nora = { ...belayOf("nora@example.com"), subject };
    const { hash: planHash } = await planOf();
    await approvePlan(nora, { migration: orders.name, planHash, reason: "looked at it" });
    const state = async () => gate(await planOf(), "approved").state;
    expect(await state()).toBe("passed");
    await run(
      database.url,
      `create schema auth; create table auth.users (id uuid, raw_app_meta_data jsonb, banned_until timestamptz, deleted_at timestamptz);
       insert into auth.users values ('${subject}', '{"role": "approver"}')`,
    );
    const states = [await state()];
    for (const set of [
      `raw_app_meta_data = '{"role": "viewer"}'`,
      `raw_app_meta_data = '{"role": "approver"}', banned_until = now() + interval '1 day'`,
      "banned_until = null, deleted_at = now()",
      "deleted_at = null",
    ]) {
      await run(database.url, `update auth.users set ${set}`);
      states.push(await state());
    }
    await run(database.url, "drop schema auth cascade");
    expect(states).toEqual(["passed", "failed", "failed", "failed", "passed"]);
  });
});

describe("at execution", () => {
  it("rows that grew past what the policy allows are a conflict, under the locks", async () => {
    const belay = belayOf("ann", { file: { gates: { approved: "off" }, growth: { rows: 50, percent: 10 } } });
    const { effect } = await planOf(belay);
    const before = await photograph(database.url);
    expect(await refused(belay, { plannedRows: 200 })).toMatchObject({
      code: "plan_changed",
      message: expect.stringMatching(/300 rows would go now, and 200 rows when .*allows 250 rows/),
      details: { planned: 200, now: 300, allowed: 250 },
    });
    expect(effect.tables[0]!.rows).toBe(300);
    expect(await photograph(database.url)).toEqual(before);
  });

  it("a gate that the policy requires and that is not known blocks with what to do", async () => {
    const file: PolicyFile = { gates: { approved: "off", maintenance_window: "required", rehearsed: "required" } };
    expect(await refused(belayOf("ann", { file }))).toMatchObject({
      code: "gate_failed",
      message: expect.stringMatching(/maintenance_window: the policy sets no maintenance windows/),
      hint: "Set maintenanceWindows in the policy file.",
    });
  });

  it("a failed deployment's notice counts as telling the team of the plans in it", async () => {
    const messages: string[] = [];
    const target = { url: "http://127.0.0.1:9/x", secret: null };
    const original = globalThis.fetch;
    globalThis.fetch = async (_, init) => {
      messages.push(new TextDecoder().decode(init!.body as Uint8Array));
      return new Response(null, { status: 200 });
    };
    try {
      await run(
        database.url,
        `insert into belay.deployments (platform, external_id, status, target, occurred_at, payload_sha256)
         values ('standard', 'd1', 'failed', 'production', now(), '')`,
      );
      await respondToFailures(belayOf("webhook"), target);
    } finally {
      globalThis.fetch = original;
    }
    expect(messages).toHaveLength(1);
    expect(gate(await planOf(), "team_notified")).toMatchObject({
      state: "passed",
      evidence: expect.stringMatching(/127\.0\.0\.1:9 took the message .* sent by webhook/),
    });
  });

  it("a waiver passes with the name and the reason, in approvals, audit log and report", async () => {
    const belay = belayOf("ann");
    const waive = ["approved"];
    const plan = await planRollback(belay, { migration: orders.name, reason: "alone on call", waive });
    expect(gate(plan, "approved")).toMatchObject({ state: "waived", waiver: { by: "ann", reason: "alone on call" } });
    const report = await executeRollback(belay, {
      migration: orders.name,
      reason: "alone on call",
      waive,
      planHash: plan.hash,
    });
    expect(report.notes).toContain("gate approved was waived by ann: alone on call");
    expect(
      await run(
        database.url,
        "select plan_hash, actor, database_role::text as role, decision, gate, reason, rows::int as rows from belay.approvals",
      ),
    ).toEqual([
      {
        plan_hash: plan.hash,
        actor: "ann",
        role: "postgres",
        decision: "waived",
        gate: "approved",
        reason: "alone on call",
        rows: 300,
      },
    ]);
    const [audit] = await run(
      database.url,
      "select actor, subject, details from belay.audit_log where action = 'gate.waived'",
    );
    expect(audit).toMatchObject({
      actor: "ann",
      subject: orders.name,
      details: { gate: "approved", planHash: plan.hash, reason: "alone on call" },
    });
  });

  it("a word of the policy is in the plan and the report, and no decision of whoever rolls back", async () => {
    const third: Pair = { name: "20250104_third", up: "create table third (id int);", down: "drop table third;" };
    await apply(database.url, third);
    const external = { by: "ops@example.com", statement: "PITR, 7 days" };
    const belay = belayOf("ann", {
      file: { gates: { backup_fresh: "required" }, backup: { maxAgeHours: 0.000001, external } },
    });
    const report = await executeRollback(belay, { migration: third.name, reason: "bad deploy" });
    expect(report.notes).toContain("gate backup_fresh was waived by ops@example.com: PITR, 7 days");
    expect(await run(database.url, `select * from belay.approvals where migration_name = '${third.name}'`)).toEqual([]);
  });

  it("what is of LOW or MEDIUM risk goes by the default policy without anybody else", async () => {
    const report = await executeRollback(belayOf("ann"), { migration: others.name, reason: "bad deploy" });
    expect(report.outcome).toBe("committed");
  });
});
