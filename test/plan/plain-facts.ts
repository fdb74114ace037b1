import type { LedgerRow } from "../../shared/migrations/ledger.ts";
import type { Facts } from "../../shared/rollback/plan/facts.ts";
import type { GateFacts } from "../../shared/rollback/plan/gate-facts.ts";

/** Nobody has agreed, nothing was backed up or rehearsed. */
export const nothingKnown: GateFacts = {
  now: "2026-01-01T12:00:00.000Z",
  dump: { state: "none", why: "the store holds no whole-database archive" },
  drills: [],
  rehearsals: [{ migration: "1_a", proof: null, otherText: false }],
  notifications: [],
  approvals: [],
  executor: { actor: "ann", subject: null, databaseRole: "postgres" },
};

export const alone: LedgerRow = {
  name: "1_a",
  version: "1",
  status: "applied",
  appliedAt: "2025-12-01T00:00:00.000Z",
  appliedBy: "ci",
  rollbackSql: "drop index i",
  forwardSql: "create index i on t (id)",
  verifySql: null,
  checksum: "a".repeat(64),
  rollbackAt: null,
  rollbackBy: null,
  notes: null,
  metadata: {},
  revision: 1,
  dependsOn: [],
  dependents: [],
  fileChecksum: "b".repeat(64),
  sourceFile: "1_a.sql",
};

/** Facts of a rollback that drops one index. */
export const plain: Facts = {
  target: { systemIdentifier: "1", databaseOid: 5, database: "shop" },
  asked: { kind: "migration", value: "1_a" },
  readAt: "2026-01-01T00:00:00.000Z",
  units: [
    {
      migration: alone,
      together: [alone],
      file: "1_a.sql",
      line: 1,
      prepared: { sql: "drop index i", rewrites: [], refusals: [], statements: 1 },
      syntax: null,
      checkout: null,
    },
  ],
  migration: alone,
  beyond: [],
  together: [{ name: "1_a", status: "applied" }],
  dependents: [],
  obstacles: [],
  prepared: { sql: "drop index i", rewrites: [], refusals: [], statements: 1 },
  syntax: null,
  effect: {
    objects: [
      { key: "INDEX public i", kind: "INDEX", schema: "public", name: "i", change: "destroyed", by: "statement" },
    ],
    gone: [],
    lostTables: [],
    lostColumns: [],
    lostSequences: [],
    lostIndexes: [],
    locks: [],
    opaque: [],
    failures: [],
    unsupported: [],
    absent: [],
    takenBy: { objects: new Map(), gone: new Map() },
  },
  entryHashes: { "INDEX public i": "c" },
  unknownKinds: [],
  losses: { tables: [], columns: [], sequences: [], unreadable: [] },
  jobs: [],
  locks: [],
  blockers: [],
  provenance: {
    known: true,
    origin: "live",
    overreach: [],
    additive: true,
    removedTables: [],
    createdTables: [],
    leftThere: [],
    makers: new Map(),
  },
  drift: { comparedWith: null, objects: [] },
  checkout: null,
  storeUrl: null,
  reason: null,
  evidence: nothingKnown,
  part: null,
};
