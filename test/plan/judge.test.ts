import { describe, expect, it } from "vitest";
import { addressKey, type Dependency } from "../../shared/rollback/effect/dependency-graph.ts";
import { dropClosure, indexDependencies } from "../../shared/rollback/effect/drop-closure.ts";
import { lockModes, modeFromPgLocks, modesConflict } from "../../shared/rollback/effect/lock-modes.ts";
import { firstWords } from "../../shared/rollback/plan/blockers.ts";
import type { Facts } from "../../shared/rollback/plan/facts.ts";
import { judgeStore } from "../../shared/rollback/plan/gates/loss.ts";
import { judgeReason } from "../../shared/rollback/plan/gates/reason.ts";
import { judgeSupported } from "../../shared/rollback/plan/gates/sql.ts";
import { judgeGates } from "../../shared/rollback/plan/gates.ts";
import { canonicalJson, planHash } from "../../shared/rollback/plan/hash.ts";
import { nearNames } from "../../shared/rollback/plan/ledger-facts.ts";
import { lossCard } from "../../shared/rollback/plan/loss-card.ts";
import { mergeKey } from "../../shared/rollback/plan/losses.ts";
import { makePlan } from "../../shared/rollback/plan/plan.ts";
import { defaultPolicy } from "../../shared/rollback/plan/policy.ts";
import { judgeRisk } from "../../shared/rollback/plan/risk.ts";
import { gateNames } from "../../shared/rollback/types.ts";
import { advising } from "../support/policy.ts";
import { plain } from "./plain-facts.ts";

const table = {
  schema: "public",
  table: "t",
  oid: 1,
  rows: 5,
  exact: true,
  bytes: 8192,
  writtenSince: 0,
  countedFrom: null,
  notCounted: null,
};

const blocker: Facts["blockers"][number] = {
  kind: "session",
  pid: 1,
  gid: null,
  role: "r",
  application: "",
  state: "idle",
  ageSeconds: 3,
  queryAgeSeconds: 1,
  mode: "ACCESS SHARE",
  granted: true,
  relation: "t",
  query: "select",
};

describe("gates", () => {
  it("are all there, in their order, and what is not known is never passed", () => {
    const gates = judgeGates(plain, defaultPolicy);
    expect(gates.map((gate) => gate.name)).toEqual([...gateNames]);
    for (const gate of gates) {
      expect(gate.evidence).not.toBe("");
      if (gate.state === "failed") expect(gate.next).not.toBeNull();
      if (gate.state === "passed") expect(gate.next).toBeNull();
    }
    const outside = ["backup_fresh", "restore_tested", "rehearsed", "team_notified", "approved"];
    expect(gates.filter((gate) => outside.includes(gate.name)).map((gate) => gate.state)).toEqual(
      outside.map(() => "failed"),
    );
    expect(gates.at(-1)).toMatchObject({ name: "maintenance_window", state: "not_available" });
  });

  it("need a store only when something would be lost or is not known", () => {
    expect(judgeStore(plain).state).toBe("not_available");
    expect(judgeStore({ ...plain, losses: { ...plain.losses, tables: [table] } }).state).toBe("failed");
    const opaque = [{ line: 1, statement: "do", why: "?" }];
    expect(judgeStore({ ...plain, effect: { ...plain.effect, opaque } }).state).toBe("failed");
    expect(judgeStore({ ...plain, storeUrl: "file:///a" }).state).toBe("passed");
  });

  it("ask for a reason only when it is executed", () => {
    expect(judgeReason(plain).state).toBe("not_available");
    expect(judgeReason({ ...plain, reason: " " }).state).toBe("failed");
    expect(judgeReason({ ...plain, reason: "login broken" }).state).toBe("passed");
  });

  it("name a next command with all that the plan was asked with, since its hash covers it", () => {
    const archived = { kind: "table" as const, oid: 7, schema: "public", table: "Log", rows: 1, bytes: 1 };
    const facts = {
      ...plain,
      asked: { kind: "latest" as const, value: "latest" },
      alsoArchived: [{ ...table, ...archived }],
      preserve: { ...plain.preserve, mode: "copy" as const },
    };
    const words = `latest --archive 'public."Log"' --preserve copy`;
    for (const [gate, next] of [
      ["approved", `belay approve ${words} --plan `],
      ["team_notified", `belay notify ${words}.`],
    ])
      expect(makePlan(facts).gates.find(({ name }) => name === gate)?.next).toContain(next);
  });

  it("do not tell to mend the SQL of what is rolled back already", () => {
    const failures = [{ line: 1, statement: "drop table t", why: "table t is not there" }];
    const migration = { ...plain.migration, status: "rolled_back" as const };
    const judged = (more: object) => judgeSupported({ ...plain, effect: { ...plain.effect, failures }, ...more }).next;
    expect([judged({}), judged({ migration })]).toEqual([
      "Mend the rollback SQL, then register it again.",
      expect.not.stringContaining("Mend"),
    ]);
  });

  it("refuse kinds that the catalog reader cannot write", () => {
    const finding = judgeSupported({ ...plain, unknownKinds: ["OPERATOR public.@@"] });
    expect(finding).toMatchObject({ state: "failed", evidence: expect.stringContaining("OPERATOR public.@@") });
  });

  it("block only where the policy says so", () => {
    const broken = { ...plain, dependents: [{ migration: "2_b", version: "2", found: "declared" as const, why: "" }] };
    expect(makePlan(broken).canRollBack).toBe(false);
    const columns = [{ ...table, columns: ["c"], key: null, rows: 0 }];
    const keyless = { ...plain, storeUrl: "file:///a", losses: { ...plain.losses, columns } };
    expect(makePlan(keyless).canRollBack).toBe(false);
    expect(makePlan(keyless, { policy: advising("undoable") })).toMatchObject({
      canRollBack: true,
      blockingReason: null,
    });
  });
});

describe("risk", () => {
  it("is LOW for an index, MEDIUM for an empty table, HIGH for rows", () => {
    expect(judgeRisk(plain)).toEqual({ risk: "LOW", reasons: ["nothing is lost"] });
    const empty = { ...plain, losses: { ...plain.losses, tables: [{ ...table, rows: 0 }] } };
    expect(judgeRisk(empty).risk).toBe("MEDIUM");
    const full = { ...plain, losses: { ...plain.losses, tables: [table] } };
    expect(judgeRisk(full)).toMatchObject({ risk: "HIGH", reasons: ["5 rows of 1 table go"] });
  });

  it("rises when a policy of a table that stays goes", () => {
    const objects = [{ ...plain.effect.objects[0]!, key: "POLICY public t own", kind: "POLICY", name: "t own" }];
    const facts = { ...plain, effect: { ...plain.effect, objects } };
    expect(judgeRisk(facts).risk).toBe("MEDIUM");
    expect(
      judgeRisk({ ...facts, losses: { ...plain.losses, tables: [{ ...table, rows: 0 }] } }).reasons.join(),
    ).not.toMatch(/policy/);
  });

  it("advises to roll back the application alone when the migration only added and rows would go", () => {
    const full = { ...plain, storeUrl: "file:///a", losses: { ...plain.losses, tables: [table] } };
    expect(makePlan(full).verdict).toBe("roll_back_application_only");
    expect(makePlan(plain).verdict).toBe("roll_back");
    const removed = { ...plain, provenance: { ...plain.provenance, removedTables: ["TABLE public old"] } };
    expect(makePlan(removed).verdict).toBe("restore_backup");
  });
});

describe("the hash", () => {
  it("is of canonical JSON: order of fields does not matter, order of lists does", () => {
    expect(canonicalJson({ b: [1, { d: 1, c: null }], a: "é" })).toBe('{"a":"é","b":[1,{"c":null,"d":1}]}');
    expect(planHash({ a: 1, b: 2 })).toBe(planHash({ b: 2, a: 1 }));
    expect(planHash([1, 2])).not.toBe(planHash([2, 1]));
  });

  it("is not moved by counts, ages, blockers, reason or checkout, but by SQL, objects, target and policy", () => {
    const first = makePlan(plain).hash;
    const moved: Partial<Facts>[] = [
      { readAt: "2030-01-01T00:00:00.000Z" },
      { reason: "because" },
      { blockers: [blocker] },
      { checkout: { directory: "d", file: "f", checksum: "0" } },
    ];
    for (const change of moved) expect(makePlan({ ...plain, ...change }).hash).toBe(first);
    const other: Partial<Facts>[] = [
      { target: { ...plain.target, databaseOid: 6 } },
      { prepared: { ...plain.prepared, sql: "drop index j" } },
      { entryHashes: { "INDEX public i": "d" } },
      { units: [{ ...plain.units[0]!, migration: { ...plain.migration, revision: 2 } }] },
    ];
    for (const change of other) expect(makePlan({ ...plain, ...change }).hash).not.toBe(first);
    expect(makePlan(plain, { policy: { ...defaultPolicy, countUpToRows: 1 } }).hash).not.toBe(first);
  });
});

describe("the drop closure", () => {
  const edge = (from: number, to: number, type: string): Dependency => ({
    from: addressKey(1, from),
    to: addressKey(1, to),
    type,
  });

  it("takes automatic and internal parts silently, normal ones only with CASCADE", () => {
    const closure = dropClosure(
      indexDependencies([edge(2, 1, "a"), edge(3, 1, "i"), edge(4, 1, "n"), edge(5, 4, "a")]),
      [addressKey(1, 1)],
    );
    expect([...closure.gone]).toEqual(
      expect.arrayContaining([
        ["1/2/0", "automatic"],
        ["1/4/0", "cascade"],
      ]),
    );
    expect(closure.needCascade).toEqual(["1/4/0"]);
  });

  it("goes from an internal part to its owner, and ends on cycles", () => {
    const closure = dropClosure(indexDependencies([edge(3, 2, "i"), edge(3, 1, "n"), edge(1, 3, "n")]), [
      addressKey(1, 1),
    ]);
    expect([...closure.gone.keys()].sort()).toEqual(["1/1/0", "1/2/0", "1/3/0"]);
  });

  it("refuses a part that is named without its owner", () => {
    const closure = dropClosure(indexDependencies([edge(2, 1, "i")]), [addressKey(1, 2)]);
    expect(closure.ownedBy).toEqual([["1/2/0", "1/1/0"]]);
  });
});

describe("small things", () => {
  it("chooses the key by which undo merges columns", () => {
    const column = (number: number, name: string, notNull: boolean) => ({
      relid: 1,
      number,
      name,
      typeOid: 23,
      notNull,
      generated: "",
      inherited: false,
    });
    const index = (oid: number, columns: number[], primary = false) => ({
      oid,
      relid: 1,
      unique: true,
      primary,
      plain: true,
      columns,
    });
    const graph = {
      objects: [],
      byOid: new Map(),
      columns: [column(1, "id", true), column(2, "a", true), column(3, "b", true), column(4, "c", false)],
      indexes: [index(10, [2, 3]), index(11, [4]), index(12, [2]), index(13, [1], true)],
      foreignKeys: [],
      dependencies: [],
      inherits: [],
      searchPath: [],
      role: "postgres",
    };
    expect(mergeKey(graph, 1, [4], { lostIndexes: [] })).toEqual(["id"]);
    expect(mergeKey(graph, 1, [1], { lostIndexes: [] })).toEqual(["a"]);
    expect(mergeKey(graph, 1, [4], { lostIndexes: [13, 12] })).toEqual(["a", "b"]);
    expect(mergeKey(graph, 1, [1, 2], { lostIndexes: [] })).toBeNull();
  });

  it("shows a query without the values in it", () => {
    expect(firstWords("UPDATE public.users\n SET email = 'a@b' WHERE id = 3")).toBe("UPDATE public.users SET email");
    expect(firstWords("/* app */ -- x\nselect 'secret'")).toBe("select");
    expect(firstWords("")).toBe("");
  });

  it("knows which lock modes exclude each other, both ways", () => {
    expect(modeFromPgLocks("AccessExclusiveLock")).toBe("ACCESS EXCLUSIVE");
    expect(modeFromPgLocks("SIReadLock")).toBeNull();
    for (const one of lockModes)
      for (const other of lockModes) expect(modesConflict(one, other)).toBe(modesConflict(other, one));
    expect(modesConflict("ACCESS SHARE", "ACCESS EXCLUSIVE")).toBe(true);
    expect(modesConflict("ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE")).toBe(false);
  });

  it("finds near names", () => {
    expect(nearNames("20250101_usr", ["20250101_users", "20250209_orders"])).toEqual(["20250101_users"]);
    expect(nearNames("zzz", ["20250101_users"])).toEqual([]);
  });

  it("sums up the loss", () => {
    const plan = makePlan({
      ...plain,
      losses: { ...plain.losses, tables: [table, { ...table, rows: 2, exact: false }] },
    });
    expect(lossCard(plan)).toEqual({
      rows: 7,
      exact: false,
      bytes: 16384,
      tables: 2,
      columns: 0,
      sequences: 0,
      rowsArchivedToo: 0,
      objects: { INDEX: 1 },
    });
  });
});
