import type { Manifest } from "../../archive/types.ts";
import { entryKey } from "../../catalog/entry.ts";
import { listed, plural } from "../../words.ts";
import { planHash } from "../plan/hash.ts";
import { defaultPolicy, type Policy, type PolicyGate } from "../plan/policy.ts";
import { withWaivers } from "../plan/waivers.ts";
import type { Gate, Risk } from "../types.ts";
import type { UndoGate, UndoPlan } from "./plan-types.ts";
import type { UndoFacts } from "./undo-facts.ts";
import { judgeUndoGates } from "./undo-gates.ts";
import { movedBack, undoSteps } from "./undo-steps.ts";

/** COPY into a logged table with its indexes, bytes of COPY text a second: half of what was measured without (facts.md). */
const bytesPerSecond = 35_000_000;

/** Makes the plan of an undo from facts alone: same facts, same plan. */
export function makeUndoPlan(
  facts: UndoFacts,
  { policy = defaultPolicy, waive = [] }: { policy?: Policy; waive?: readonly PolicyGate[] } = {},
): UndoPlan {
  const { found, work, request, archive } = facts;
  const { risk, reasons } = judgeUndoRisk(facts);
  const returns = returnsOf(facts);
  const replaces = replacesOf(facts);
  const steps = undoSteps(facts);
  const hash = planHash(hashed(facts, policy, waive));
  const rows = rowsReplaced(replaces);
  const judged = judgeUndoGates(facts, { policy, risk, hash, rows, waive });
  const by = { actor: facts.evidence.executor.actor, reason: request.reason ?? null };
  const gates = withWaivers(judged as unknown as Gate[], waive, by) as unknown as UndoGate[];
  const blocking = gates.filter((gate) => gate.blocking);
  const bytes = (work.manifest?.tables ?? []).reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  return {
    format: "belay-undo-plan/1",
    rollbackId: found.rollbackId,
    rolledBackAt: found.finishedAt?.toISOString() ?? null,
    rolledBackBy: found.actor,
    reasonThen: found.reason,
    migration: found.migration,
    migrations: [...found.migrations],
    only: [...(request.only ?? [])],
    returns,
    present: [...facts.present],
    leftOut: [...facts.leftOut],
    replaces,
    locks: [...facts.locks],
    blockers: [...facts.blockers],
    conflicts: [...facts.conflicts],
    discardNewer: [...(request.discardNewer ?? [])],
    archive,
    risk,
    riskReasons: reasons,
    gates,
    steps,
    forecast: { bytes, seconds: Math.ceil(bytes / bytesPerSecond) },
    policyDigest: planHash(policy),
    canUndo: blocking.length === 0,
    blockingReason: blocking.length === 0 ? null : blocking.map(({ evidence }) => evidence).join("; "),
    hash,
    plannedAt: facts.evidence.now,
  };
}

/** Rows that are written over or go, as counted or estimated. */
export function rowsReplaced({ tables }: UndoPlan["replaces"]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

function returnsOf({ work, ledger, tracking, request }: UndoFacts): UndoPlan["returns"] {
  const { remembered, manifest } = work;
  const tables = [...(manifest?.tables ?? []), ...purgedTables(work)];
  return {
    objects: [
      ...remembered.removed.map(({ key }) => ({ key, change: "created" as const })),
      ...remembered.changed.map(({ before }) => ({ key: before.key, change: "changed" as const })),
    ],
    tables: tables
      .filter(({ mergesInto }) => mergesInto === null)
      .map(({ schema, table, rows }) => ({ schema, table, rows })),
    columns: tables.flatMap(({ mergesInto, rows }) =>
      mergesInto === null
        ? []
        : [{ schema: mergesInto.schema, table: mergesInto.table, columns: mergesInto.columns, rows }],
    ),
    moved: movedBack(work).map(({ kind, schema, name, keptIn }) => ({ kind, schema, name, from: keptIn })),
    sequences: (manifest?.sequences ?? []).map(({ schema, name, lastValue }) => ({ schema, name, lastValue })),
    ledger: (request.only ?? []).length > 0 ? [] : ledger.map((row) => ({ ...row })),
    tracking: [...tracking],
  };
}

/** Kept tables that were purged since, as the archive of the purge has them. */
function purgedTables({ kept, remembered }: UndoFacts["work"]): Manifest["tables"] {
  const gone = new Set(remembered.removed.map(({ key }) => key));
  return (kept?.purgedTo?.tables ?? []).filter(({ schema, table }) =>
    gone.has(entryKey({ kind: "TABLE", schema, name: table, owner: null })),
  );
}

function replacesOf({ replaced, sizes }: UndoFacts): UndoPlan["replaces"] {
  return {
    objects: replaced.objects.map(({ key, change }) => ({ key, change })),
    tables: replaced.tables.map(({ relation: { oid, schema, name }, because }) => ({
      schema,
      table: name,
      oid,
      rows: sizes.get(oid)?.rows ?? 0,
      bytes: sizes.get(oid)?.bytes ?? 0,
      because,
    })),
    columns: replaced.columns.map(({ relation, columns, because }) => ({
      schema: relation.schema,
      table: relation.name,
      columns: [...columns],
      because,
    })),
  };
}

/** Newer rows that go need a second pair of eyes; the rest is what the rollback itself left. */
function judgeUndoRisk({ conflicts, replaced, blockers }: UndoFacts): { risk: Risk; reasons: string[] } {
  const discarded = conflicts.filter((each) => each.discarded);
  const high = discarded.map(({ what }) => `what is newer is discarded: ${what}`);
  const replacing = replaced.tables.length + replaced.columns.length;
  const medium = [
    ...(replacing > 0 ? [`rows of ${plural(replacing, "table")} that the rollback left are written over or go`] : []),
    ...(blockers.length > 0
      ? [`${plural(blockers.length, "session holds", "sessions hold")} locks in the way now`]
      : []),
  ];
  const risk = high.length > 0 ? "HIGH" : medium.length > 0 ? "MEDIUM" : "LOW";
  const reasons = [...high, ...medium];
  return { risk, reasons: reasons.length > 0 ? reasons : ["nothing goes that is there"] };
}

/** Target, what comes back and goes, conflicts, archive and policy: not counts, ages, blockers or who asks. */
function hashed(
  { found, work, request, conflicts, replaced, ledger, newer, needs, leftOut }: UndoFacts,
  policy: Policy,
  waive: readonly PolicyGate[],
) {
  const { remembered, manifest } = work;
  return {
    rollbackId: found.rollbackId,
    only: request.only ?? [],
    discardNewer: request.discardNewer ?? [],
    removed: remembered.removed.map(({ key, hash }) => [key, hash]),
    changed: remembered.changed.map((change) => [change.before.key, change.before.hash, change.after.hash]),
    added: remembered.added.map(({ key, hash }) => [key, hash]),
    archive: found.archiveId,
    tables: (manifest?.tables ?? []).map(({ schema, table, digest }) => [schema, table, digest]),
    replaced: replaced.tables.map(({ relation }) => [relation.oid, relation.schema, relation.name]),
    columns: replaced.columns.map(({ relation, columns, key }) => [relation.oid, columns, key]),
    conflicts: conflicts.map(({ kind, subject, discarded }) => [kind, subject, discarded]),
    ledger,
    newer,
    needs,
    leftOut,
    policy,
    waive,
  };
}

/** What is undone, in a sentence. */
export function undoSubject({ migrations, only }: Pick<UndoPlan, "migrations" | "only">): string {
  const all = listed(migrations.toReversed(), 1, ", ");
  return only.length === 0 ? `the rollback of ${all}` : `${listed(only)} of the rollback of ${all}`;
}
