import { describe, expect, it } from "vitest";
import type { Gate, GateName } from "../../shared/rollback/gate-types.ts";
import type { Facts } from "../../shared/rollback/plan/facts.ts";
import type { ApprovalFact, GateFacts } from "../../shared/rollback/plan/gate-facts.ts";
import { makePlan } from "../../shared/rollback/plan/plan.ts";
import { completePolicy, type Policy, type PolicyFile } from "../../shared/rollback/plan/policy.ts";
import { parseWaivers } from "../../shared/rollback/plan/waivers.ts";
import type { Plan } from "../../shared/rollback/types.ts";
import { nothingKnown, plain } from "./plain-facts.ts";

const table = {
  schema: "public",
  table: "t",
  oid: 1,
  rows: 500,
  exact: true,
  bytes: 8192,
  writtenSince: 0,
  countedFrom: null,
  notCounted: null,
};
/** Rows go: risk HIGH. */
const high: Facts = { ...plain, storeUrl: "file:///a", losses: { ...plain.losses, tables: [table] } };
const now = Date.parse(nothingKnown.now);
const ago = (hours: number) => new Date(now - hours * 3_600_000).toISOString();

const plan = (evidence: Partial<GateFacts>, file: PolicyFile = {}, facts = high, waive: string[] = []): Plan => {
  const policy = completePolicy(file);
  return makePlan(
    { ...facts, evidence: { ...nothingKnown, ...evidence } },
    { policy, waive: parseWaivers(waive, policy) },
  );
};
const gate = (from: Plan, name: GateName): Gate => from.gates.find((each) => each.name === name)!;
const hashUnder = (file: PolicyFile = {}, waive: string[] = []) => plan({}, file, high, waive).hash;

const dump = (hours: number, archiveId = "dump-2") => ({
  state: "found" as const,
  archiveId,
  snapshotAt: ago(hours),
  tables: 3,
  rows: 900,
});
const drill = (verdict: string, hours: number, archiveId = "dump-2") => ({
  archiveId,
  verdict,
  summary: "a row is lost",
  startedAt: ago(hours + 0.1),
  finishedAt: ago(hours),
});

describe("backup_fresh", () => {
  const word = { by: "ops@example.com", statement: "PITR of the platform, 7 days" };
  it.each([
    ["no archive", { state: "none", why: "the store holds none" }, {}, "failed", /holds none/],
    ["a store that does not answer", { state: "unknown", why: "no answer" }, {}, "unknown", /no answer/],
    ["a fresh one", dump(3), {}, "passed", /dump-2 is 3 hours old \(3 tables, 900 rows\)/],
    ["an old one", dump(27), {}, "failed", /older than 26 hours/],
    ["an old one, by a policy that takes it", dump(27), { maxAgeHours: 48 }, "passed", /27 hours old/],
    [
      "a person's word",
      { state: "none", why: "" },
      { external: word },
      "waived",
      /not seen by Belay; .* ops@example.com: PITR/,
    ],
    [
      "a word past its day",
      { state: "none", why: "none" },
      { external: { ...word, until: "2025-12-31" } },
      "failed",
      /none/,
    ],
    [
      "a word on its last day",
      { state: "none", why: "" },
      { external: { ...word, until: "2026-01-01" } },
      "waived",
      /PITR/,
    ],
  ] as const)("%s", (_, found, backup, state, evidence) => {
    const one = gate(plan({ dump: found }, { backup }), "backup_fresh");
    expect(one).toMatchObject({ state, evidence: expect.stringMatching(evidence) });
    if (state === "failed" || state === "unknown") expect(one.next).toMatch(/belay dump/);
    if (state === "waived") expect(one.waiver).toEqual({ by: word.by, reason: word.statement });
  });

  it("a person's word is no yes in the checklist", () => {
    const { checklist } = plan({ dump: { state: "none", why: "none" } }, { backup: { external: word } });
    expect(checklist[0]).toMatchObject({ id: "recent_backup", answer: "unknown" });
  });
});

describe("restore_tested", () => {
  it.each([
    ["no drill", [], "failed", /no drill/],
    [
      "one that passed on the newest archive",
      [drill("pass", 5)],
      "passed",
      /newest archive passed its drill: dump-2, 5 hours ago, in 6 minutes/,
    ],
    [
      "one that passed on an earlier archive",
      [drill("pass", 50, "dump-1")],
      "passed",
      /earlier archive: dump-1, 2 days ago/,
    ],
    ["one that is too long ago", [drill("pass", 24 * 32)], "failed", /older than 31 days/],
    ["a bad backup since", [drill("backup_bad", 1), drill("pass", 5)], "failed", /backup is bad: a row is lost/],
    ["a bad backup before", [drill("pass", 1), drill("backup_bad", 5)], "passed", /passed/],
    [
      "only ones that could not tell",
      [drill("inconclusive", 1), drill("environment_mismatch", 5)],
      "failed",
      /none of the last 2 drills passed/,
    ],
    ["one that could not tell since", [drill("inconclusive", 1), drill("pass", 5)], "passed", /passed/],
  ] as const)("%s", (_, drills, state, evidence) => {
    const one = gate(plan({ dump: dump(6), drills }), "restore_tested");
    expect(one).toMatchObject({ state, evidence: expect.stringMatching(evidence) });
    if (state === "failed") expect(one.next).toContain("belay drill dump-2");
  });
});

describe("rehearsed", () => {
  it.each([
    ["nothing on record", null, false, {}, "failed", /no rehearsal of 1_a/],
    ["another text", null, true, {}, "failed", /another text of its SQL/],
    ["exact", "exact", false, {}, "passed", /1_a: exact, 2 hours ago/],
    ["but for column order", "column-order", false, {}, "passed", /column-order/],
    [
      "but for column order, which the policy does not take",
      "column-order",
      false,
      { accept: ["exact"] },
      "failed",
      /takes exact/,
    ],
    ["residue", "residue", false, {}, "failed", /residue, 2 hours ago; the policy takes exact or column-order/],
    ["too long ago", "exact", false, { maxAgeDays: 0.05 }, "failed", /more than the policy's/],
  ] as const)("%s", (_, verdict, otherText, rehearsal, state, evidence) => {
    const proof = verdict === null ? null : { verdict, at: ago(2) };
    const facts = { rehearsals: [{ migration: "1_a", proof, otherText }] };
    const one = gate(plan(facts, { rehearsal: { ...rehearsal } as PolicyFile["rehearsal"] }), "rehearsed");
    expect(one).toMatchObject({ state, evidence: expect.stringMatching(evidence) });
  });

  it("asks for every migration that goes", () => {
    const proof = { verdict: "exact" as const, at: ago(1) };
    const rehearsals = [
      { migration: "2_b", proof, otherText: false },
      { migration: "1_a", proof: null, otherText: false },
    ];
    expect(gate(plan({ rehearsals }), "rehearsed")).toMatchObject({
      state: "failed",
      evidence: "no rehearsal of 1_a is on record",
    });
  });
});

describe("team_notified", () => {
  const sent = (planHash: string, hours: number) => [
    { planHash, address: "hooks.slack.com", status: 200, actor: "ann", sentAt: ago(hours) },
  ];
  it.each([
    [
      "this plan",
      sent(hashUnder(), 1),
      "passed",
      /hooks\.slack\.com took the message 60 minutes ago \(200\), sent by ann/,
    ],
    ["another plan", sent("f".repeat(64), 1), "failed", /another plan \(ffffffffffff…\)/],
    ["too long ago", sent(hashUnder(), 25), "failed", /older than 24 hours/],
    ["nothing", [], "failed", /no message/],
  ] as const)("%s", (_, notifications, state, evidence) => {
    expect(gate(plan({ notifications }), "team_notified")).toMatchObject({
      state,
      evidence: expect.stringMatching(evidence),
    });
  });
});

describe("approved", () => {
  const approval = (over: Partial<ApprovalFact> = {}): ApprovalFact => ({
    planHash: hashUnder(),
    actor: "nora@example.com",
    subject: "user-1",
    databaseRole: "postgres",
    reason: "looked at it",
    at: ago(1),
    rows: 500,
    approverNow: true,
    ...over,
  });
  const byRole = (over: Partial<ApprovalFact> = {}) =>
    approval({ actor: "bob", subject: null, databaseRole: "dba", approverNow: null, ...over });

  it.each([
    [
      "a signed-in approver",
      [approval()],
      "passed",
      /approved by nora@example\.com \(signed in\), 60 minutes ago: looked at it/,
    ],
    ["another database role under another name", [byRole()], "passed", /bob \(database role dba\)/],
    ["nobody", [], "failed", /no approval of this plan by a second person/],
    [
      "the same database role under another name",
      [byRole({ databaseRole: "postgres" })],
      "failed",
      /behind the same database role as the one who rolls back, so it may be the same person/,
    ],
    ["the same name behind another role", [byRole({ actor: "ANN " })], "failed", /the same person/],
    ["a signed-in user of the same name", [approval({ actor: "Ann@example.com" })], "failed", /the same person/],
    [
      "an earlier plan",
      [approval({ planHash: "e".repeat(64) })],
      "failed",
      /of another plan \(eeeeeeeeeeee…\): the plan changed since/,
    ],
    ["too long ago", [approval({ at: ago(25) })], "failed", /older than 24 hours/],
    [
      "whose role was taken away since",
      [approval({ approverNow: false })],
      "failed",
      /no longer has the role approver/,
    ],
    ["where the role cannot be asked for again", [approval({ approverNow: null })], "passed", /nora/],
    ["when far fewer rows would have gone", [approval({ rows: 0 }), byRole({ rows: 100 })], "passed", /nora/],
  ] as const)("by %s", (_, approvals, state, evidence) => {
    const one = gate(plan({ approvals }), "approved");
    expect(one).toMatchObject({ state, blocking: state === "failed", evidence: expect.stringMatching(evidence) });
    if (state === "failed") expect(one.next).toMatch(/belay approve 1_a --plan [0-9a-f]{64}[\s\S]*--waive approved/);
  });

  it("of somebody unnamed, for somebody unnamed, says what to set", () => {
    const executor = { actor: "unknown", subject: null, databaseRole: "postgres" };
    const one = gate(plan({ approvals: [byRole({ actor: "unknown" })], executor }), "approved");
    expect(one).toMatchObject({ state: "failed", evidence: expect.stringContaining("set --actor (BELAY_ACTOR)") });
  });

  it("of fewer rows than the policy lets grow does not count", () => {
    const many = { ...high, losses: { ...high.losses, tables: [{ ...table, rows: 20_000 }] } };
    const evidence = { approvals: [approval({ rows: 18_000 })] };
    expect(gate(plan(evidence, {}, many), "approved")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/18,000 rows would have gone then, 20,000 rows now/),
    });
    expect(gate(plan({ approvals: [approval({ rows: 18_200 })] }, {}, many), "approved").state).toBe("passed");
  });

  it("by the user who rolls back over HTTP does not count, by another one does", () => {
    const executor = { actor: "nora@new.example", subject: "user-1", databaseRole: "postgres" };
    expect(gate(plan({ approvals: [approval()], executor }), "approved").state).toBe("failed");
    expect(gate(plan({ approvals: [approval({ subject: "user-2" })], executor }), "approved").state).toBe("passed");
    // The function's own database role is everybody's behind it.
    const through = (databaseRole: string) =>
      gate(plan({ approvals: [byRole({ databaseRole })], executor }), "approved");
    expect(through("postgres").state).toBe("failed");
    expect(through("dba").state).toBe("passed");
  });

  it("by two, where the policy wants two: one person behind two names is one", () => {
    const file: PolicyFile = { approvals: { persons: 2 } };
    const planHash = hashUnder(file);
    const one = approval({ planHash });
    const two = (over: Partial<ApprovalFact>) =>
      gate(plan({ approvals: [one, approval({ planHash, ...over })] }, file), "approved");
    expect(two({ actor: "second@example.com" })).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/only 1 approval .*counted once already/),
    });
    expect(two({ subject: null, databaseRole: "dba", actor: "NORA@example.com" }).state).toBe("failed");
    expect(two({ subject: "user-2", actor: "ola@example.com" }).state).toBe("passed");
  });

  it("only of kinds and database roles that the policy takes", () => {
    const users: PolicyFile = { approvals: { from: ["users"] } };
    const other = gate(plan({ approvals: [byRole({ planHash: hashUnder(users) })] }, users), "approved");
    expect(other).toMatchObject({ state: "failed", evidence: expect.stringMatching(/approvals of users only/) });
    expect(other.next).not.toMatch(/belay approve/);
    const named: PolicyFile = { approvals: { databaseRoles: ["lead"] } };
    const approvals = [byRole({ planHash: hashUnder(named) })];
    expect(gate(plan({ approvals }, named), "approved")).toMatchObject({
      evidence: expect.stringMatching(/database role dba may not approve/),
    });
  });

  it("is asked for at HIGH alone, unless the policy says otherwise", () => {
    expect(gate(plan({}, {}, plain), "approved")).toMatchObject({ requirement: "off", blocking: false });
    expect(gate(plan({}, { gates: { approved: { LOW: "required" } } }, plain), "approved").blocking).toBe(true);
    expect(plan({}, { gates: { approved: "advised" } }).canRollBack).toBe(true);
  });
});

describe("a required gate", () => {
  const required = (
    name: "backup_fresh" | "maintenance_window" | "provenance" | "checksum" | "end_state",
  ): PolicyFile => ({
    gates: { approved: "off", [name]: "required" },
  });
  it("that is unknown or not available blocks, with what to do", () => {
    const store = { dump: { state: "unknown" as const, why: "no answer" } };
    expect(gate(plan(store, required("backup_fresh")), "backup_fresh")).toMatchObject({
      state: "unknown",
      blocking: true,
      next: "Take one: belay dump.",
    });
    const noWindow = plan({}, required("maintenance_window"));
    expect(gate(noWindow, "maintenance_window")).toMatchObject({ state: "not_available", blocking: true });
    expect([noWindow.canRollBack, noWindow.blockingReason]).toEqual([false, "the policy sets no maintenance windows"]);
    expect(gate(plan({}, required("checksum")), "checksum")).toMatchObject({ state: "not_available", blocking: true });
  });

  it("provenance and end_state without snapshots block; with them the execution settles the end state", () => {
    const without = { ...high, provenance: { ...high.provenance, known: false } };
    expect(gate(plan({}, required("provenance"), without), "provenance")).toMatchObject({
      state: "unknown",
      blocking: true,
    });
    expect(gate(plan({}, required("end_state"), without), "end_state").blocking).toBe(true);
    expect(gate(plan({}, required("end_state")), "end_state")).toMatchObject({ state: "unknown", blocking: false });
  });

  it("that is only advised or off never blocks", () => {
    const { gates, canRollBack } = plan({}, { gates: { approved: "off" } });
    expect(canRollBack).toBe(true);
    expect(
      gates.filter(({ state, requirement }) => state === "failed" && requirement === "advised").length,
    ).toBeGreaterThan(2);
  });
});

describe("maintenance_window", () => {
  const window = (from: string, to: string): PolicyFile => ({
    gates: { approved: "off", maintenance_window: "required" },
    maintenanceWindows: [{ timeZone: "Europe/Berlin", days: ["thu"], from, to }],
  });
  it("goes by the database's clock: 13:00 in Berlin", () => {
    expect(gate(plan({}, window("12:30", "13:30")), "maintenance_window")).toMatchObject({
      state: "passed",
      evidence: "thu 12:30-13:30 Europe/Berlin is open until 2026-01-01T12:30Z",
    });
    expect(gate(plan({}, window("14:00", "15:00")), "maintenance_window")).toMatchObject({
      state: "failed",
      blocking: true,
      next: "Wait 60 minutes, until 2026-01-01T13:00Z.",
    });
  });
});

describe("a waiver", () => {
  it("lets a gate pass with name and reason, and is another plan", () => {
    const waived = plan({}, {}, { ...high, reason: "alone on call" }, ["approved"]);
    expect(gate(waived, "approved")).toMatchObject({
      state: "waived",
      blocking: false,
      next: null,
      waiver: { by: "ann", reason: "alone on call" },
      evidence: expect.stringContaining("no approval"),
    });
    expect(waived.canRollBack).toBe(true);
    expect(waived.hash).not.toBe(hashUnder());
  });

  it("of a gate that passed waives nothing", () => {
    const one = gate(plan({ dump: dump(1) }, {}, high, ["backup_fresh"]), "backup_fresh");
    expect(one).toMatchObject({ state: "passed", waiver: null });
  });

  it("to which others must agree needs an approval of the plan that has it, at every risk, and cannot waive that", () => {
    const file: PolicyFile = { waivers: { persons: 2 } };
    const facts = { ...plain, storeUrl: "file:///a" };
    expect(plan({}, file, facts).canRollBack).toBe(true);
    const asked = plan({}, file, facts, ["rehearsed"]);
    expect(gate(asked, "approved")).toMatchObject({ state: "failed", requirement: "required", blocking: true });
    const approvals = [
      {
        planHash: asked.hash,
        actor: "bob",
        subject: null,
        databaseRole: "dba",
        reason: "yes",
        at: ago(1),
        rows: 0,
        approverNow: null,
      },
    ];
    expect(plan({ approvals }, file, facts, ["rehearsed"]).canRollBack).toBe(true);
    expect(() => plan({}, file, facts, ["approved", "rehearsed"])).toThrow(/approved cannot be waived/);
  });
});

describe("the hash", () => {
  it("covers the policy, and not who asks or what the evidence is", () => {
    expect(plan({ dump: dump(1), executor: { actor: "z", subject: null, databaseRole: "z" } }).hash).toBe(hashUnder());
    const policies: Policy[] = [
      completePolicy({ drill: { maxAgeDays: 1 } }),
      completePolicy({ gates: { approved: "off" } }),
    ];
    for (const policy of policies) expect(makePlan(high, { policy }).hash).not.toBe(hashUnder());
  });
});

describe("the checklist", () => {
  const answers = ({ checklist }: Plan) => checklist.map(({ answer }) => answer);
  it("has the five questions, answered by evidence", () => {
    const evidence = {
      dump: dump(1),
      drills: [drill("pass", 1)],
      notifications: [{ planHash: hashUnder(), address: "a", status: 200, actor: "ann", sentAt: ago(0.1) }],
    };
    const additive = { ...high, provenance: { ...high.provenance, additive: false } };
    const all = plan(evidence, {}, additive);
    expect(all.checklist.map(({ id }) => id)).toEqual([
      "recent_backup",
      "restore_tested",
      "data_exported",
      "no_other_way",
      "team_told",
    ]);
    expect(answers(all)).toEqual(["yes", "yes", "yes", "yes", "yes"]);
    expect(all.checklist[2]!.evidence).toMatch(/writes public\.t to file:\/\/\/a and reads back every byte/);
    expect(answers(plan({}))).toEqual(["no", "no", "yes", "no", "no"]);
  });

  it("says no to the export where there is no store, and yes where nothing is lost", () => {
    expect(plan({}, {}, { ...high, storeUrl: null }).checklist[2]).toMatchObject({ answer: "no", from: "gate store" });
    expect(plan({}, {}, plain).checklist[2]).toMatchObject({
      answer: "yes",
      evidence: expect.stringMatching(/nothing is lost/),
    });
  });

  it.each([
    ["roll_back_application_only", high, /roll back the application only: 1_a only added objects.*500 rows would go/],
    [
      "restore_backup",
      { ...high, provenance: { ...high.provenance, removedTables: ["TABLE public old"] } },
      /restore a backup: 1_a itself dropped TABLE public old/,
    ],
    [
      "fix_forward",
      { ...high, unknownKinds: ["CAST x"] },
      /fix forward: Belay cannot write these objects down yet: CAST x/,
    ],
  ] as const)("names the other way: %s", (verdict, facts, evidence) => {
    const made = plan({}, {}, facts as Facts);
    expect(made.verdict).toBe(verdict);
    expect(made.checklist[3]).toMatchObject({
      answer: "no",
      evidence: expect.stringMatching(evidence),
      from: "verdict",
    });
  });

  it("does not know of another way where what the migration made is not known", () => {
    const without = { ...high, provenance: { ...high.provenance, known: false, additive: false } };
    expect(plan({}, {}, without).checklist[3]).toMatchObject({ answer: "unknown" });
  });
});
