import { qualified } from "../../catalog/identifiers.ts";
import type { CatalogDifference } from "../../catalog/types.ts";
import type { Account, RelationAccount, RowCounters } from "./account.ts";
import { keyOf, renamedRelations, unplannedEntries } from "./guard-catalog.ts";
import type { Coverage, GuardVerdict, Violation } from "./types.ts";

const catalogRelations = { largeObject: 2613 } as const;
/** Cluster-wide catalogs that only commands on roles, databases, tablespaces and settings write; no archive holds them. */
const clusterRelations = new Map([
  [1260, "roles"],
  [1261, "role memberships"],
  [1262, "databases"],
  [1213, "tablespaces"],
  [2964, "settings of roles and databases"],
  [6243, "configuration privileges"],
  [2396, "comments on shared objects"],
  [3592, "security labels of shared objects"],
  [6000, "replication origins"],
  [6100, "subscriptions"],
]);

/**
 * Compares what the database says the transaction did with what the archive holds and the plan allows.
 * A row lock, other storage, counters, or columns read otherwise make a table changed; nothing explains a row lock away.
 */
export function judge(
  before: Account,
  after: Account,
  difference: CatalogDifference,
  coverage: Coverage,
): GuardVerdict {
  const rewritten: RelationAccount[] = [];
  const violations = [
    ...clusterViolations(before, after),
    ...largeObjectViolations(before, after),
    ...ownSchemaViolations(before, after),
    ...pendingTriggers(before, after),
    ...uncheckedKeys(before, after),
    ...renamedRelations(before, after, coverage),
  ];
  for (const relation of before.relations.values()) {
    if (coverage.tolerated.has(relation.oid)) continue;
    const now = after.relations.get(relation.oid);
    if (now === undefined) violations.push(...lostRelation(relation, coverage));
    else if (relation.kind === "S") violations.push(...changedSequence(relation, now, before, after, coverage));
    else {
      // What a materialised view holds is computed from tables: REFRESH loses nothing.
      const mayChange = coverage.named.has(relation.oid) || coverage.planned.has(keyOf(relation));
      const computed = relation.kind === "m" && mayChange;
      const changes = computed ? [] : rowChanges(relation, now, before, after);
      if (changes.length > 0 && coverage.tables.has(relation.oid)) rewritten.push(relation);
      else if (changes.length > 0) violations.push(rowViolation(relation, changes, coverage));
      violations.push(...lostColumns(relation, now, coverage));
    }
  }
  violations.push(...unplannedEntries(difference, coverage));
  return { violations, rewritten };
}

export function nameOf(relation: RelationAccount): string {
  return qualified(relation.schema, relation.name);
}

function clusterViolations(before: Account, after: Account): Violation[] {
  return [...clusterRelations]
    .filter(
      ([oid]) => holdsRowLock(after, oid) || countedSince(before.counters.get(oid), after.counters.get(oid)) !== null,
    )
    .map(([, what]) => ({ subject: what, oid: null, what: "changed for the whole cluster", curable: false }));
}

/** The subject of what was done to them. */
export const largeObjects = "large objects";

function largeObjectViolations(before: Account, after: Account): Violation[] {
  const touched = before.largeObjects !== after.largeObjects || holdsRowLock(after, catalogRelations.largeObject);
  return touched ? [{ subject: largeObjects, oid: null, what: "opened for writing or removed", curable: false }] : [];
}

function ownSchemaViolations(before: Account, after: Account): Violation[] {
  return before.ownSchema === after.ownSchema
    ? []
    : [{ subject: "schema belay", oid: null, what: "Belay's own objects changed", curable: false }];
}

/** A trigger that the SQL made or changed could set itself to run at COMMIT, after the last look. */
function pendingTriggers(before: Account, after: Account): Violation[] {
  return [...after.deferrableTriggers]
    .filter(([oid, { relation, version }]) => {
      const was = before.deferrableTriggers.get(oid);
      return was?.version !== version && holdsRowLock(after, relation);
    })
    .map(([, { relation, name }]) => ({
      subject: `trigger ${name}`,
      oid: null,
      what: `made or changed by the SQL on ${after.relations.get(relation)?.name ?? "a table"} that it also writes: it could run at COMMIT`,
      curable: false,
    }));
}

/** DISABLE TRIGGER ALL switches foreign keys off too, and nothing in a table's definition tells. */
function uncheckedKeys(before: Account, after: Account): Violation[] {
  return after.unchecked
    .filter((name) => !before.unchecked.includes(name))
    .map((subject) => ({
      subject,
      oid: null,
      what: "its foreign keys are left switched off (DISABLE TRIGGER ALL): switch them on again at the end",
      curable: false,
    }));
}

export function holdsRowLock(account: Account, oid: number): boolean {
  return account.locks.get(oid)?.includes("RowExclusiveLock") ?? false;
}

function lostRelation(relation: RelationAccount, coverage: Coverage): Violation[] {
  const covered =
    relation.kind === "r"
      ? coverage.tables.has(relation.oid)
      : relation.kind !== "S" || coverage.sequences.has(relation.oid);
  return covered
    ? []
    : [
        {
          subject: nameOf(relation),
          oid: relation.oid,
          key: keyOf(relation),
          what: "dropped, and not in the archive",
          curable: coverage.named.has(relation.oid),
        },
      ];
}

/** How the transaction changed rows of a surviving relation; empty is a proof that they are equal. */
function rowChanges(relation: RelationAccount, now: RelationAccount, before: Account, after: Account): string[] {
  const changes: string[] = [];
  if (relation.kind === "v") return changes;
  if (relation.kind === "p") return changes;
  const counted = countedSince(before.counters.get(relation.oid), after.counters.get(relation.oid));
  if (counted !== null) changes.push(counted);
  else if (holdsRowLock(after, relation.oid)) changes.push("locked for writing rows");
  if (relation.storage !== now.storage && !(relation.kind === "r" && onlyToastAdded(relation, now)))
    changes.push("truncated or rewritten");
  for (const column of relation.columns) {
    const same = now.columns.find((candidate) => candidate.number === column.number);
    if (same !== undefined && same.reading !== column.reading)
      changes.push(`column ${column.name} is read as another type`);
  }
  return changes;
}

/** A table gets a toast table when its first wide column is added: no row moves. */
function onlyToastAdded(relation: RelationAccount, now: RelationAccount): boolean {
  const [heap, toast] = relation.storage.split("/");
  return toast === "" && now.storage.split("/")[0] === heap;
}

export function countedSince(before: RowCounters | undefined, after: RowCounters | undefined): string | null {
  const parts = (["inserted", "updated", "deleted"] as const).flatMap((name) => {
    const rows = (after?.[name] ?? 0) - (before?.[name] ?? 0);
    return rows > 0 ? [`${rows} ${rows === 1 ? "row" : "rows"} ${name}`] : [];
  });
  return parts.length === 0 ? null : parts.join(", ");
}

function rowViolation(relation: RelationAccount, changes: readonly string[], coverage: Coverage): Violation {
  return {
    subject: nameOf(relation),
    oid: relation.oid,
    key: keyOf(relation),
    what: changes.join("; "),
    curable: relation.kind === "r" && coverage.named.has(relation.oid),
  };
}

function lostColumns(relation: RelationAccount, now: RelationAccount, coverage: Coverage): Violation[] {
  if (relation.kind !== "r" || coverage.tables.has(relation.oid)) return [];
  const kept = new Set(now.columns.map((column) => column.number));
  return relation.columns
    .filter((column) => !kept.has(column.number) && !column.generated)
    .filter((column) => !coverage.columns.get(relation.oid)?.has(column.name))
    .map((column) => ({
      subject: nameOf(relation),
      oid: relation.oid,
      key: keyOf(relation),
      what: `column ${column.name} dropped, and not in the archive`,
      curable: coverage.named.has(relation.oid),
    }));
}

function changedSequence(
  relation: RelationAccount,
  now: RelationAccount,
  before: Account,
  after: Account,
  coverage: Coverage,
): Violation[] {
  if (coverage.sequences.has(relation.oid)) return [];
  const was = before.sequences.get(relation.oid);
  const is = after.sequences.get(relation.oid);
  const moved = was?.lastValue !== is?.lastValue || was?.isCalled !== is?.isCalled;
  // Other sessions may draw numbers meanwhile; only what we hold a write lock on can be our doing.
  const hidden = is === undefined;
  if (relation.storage === now.storage && !((moved || hidden) && holdsRowLock(after, relation.oid))) return [];
  const what = "sequence set to another value";
  return [{ subject: nameOf(relation), oid: relation.oid, key: keyOf(relation), what, curable: false }];
}
