import { BelayError } from "../../errors.ts";
import { compareMigrations } from "../../migrations/layouts/source.ts";
import type { LedgerRow } from "../../migrations/ledger/ledger.ts";
import { resolveName } from "../../migrations/resolve.ts";
import { nearNames } from "./near-names.ts";
import type { TargetRequest } from "./target.ts";

/** One rollback SQL with the migrations that it reverses. */
export interface SetUnit {
  /** Whose rollback SQL runs. */
  readonly migration: LedgerRow;
  /** All that it reverses, this one too, oldest first. */
  readonly together: readonly LedgerRow[];
}

/** The migrations that go as one. */
export interface MigrationSet {
  /** In the order in which they run: newest first, what depends on another before it. */
  readonly units: readonly SetUnit[];
  /** Oldest first. */
  readonly rows: readonly LedgerRow[];
  /** Migrations that were to stay, and that rollback SQL of the set reverses all the same. */
  readonly beyond: readonly string[];
}

/** Finds what was asked for in the ledger (oldest first). Throws `unknown_migration`, or `usage` when nothing is left to go. */
export function resolveSet(
  ledger: readonly LedgerRow[],
  request: TargetRequest,
  deployed: readonly string[] | null,
): MigrationSet {
  const asked = askedRows(ledger, request, deployed);
  const one = request.migration === undefined ? null : asked[0]!;
  const units = orderUnits(unitsOf(ledger, asked, one));
  const rows = ledger.filter((row) => units.some((unit) => unit.together.includes(row)));
  const beyond = request.to === undefined ? [] : rows.filter((row) => !asked.includes(row)).map(({ name }) => name);
  return { units, rows, beyond };
}

/** The set without all units from the `count`-th on. */
export function firstUnits(set: MigrationSet, count: number): MigrationSet {
  const units = set.units.slice(0, count);
  const rows = set.rows.filter((row) => units.some((unit) => unit.together.includes(row)));
  return { units, rows, beyond: set.beyond.filter((name) => rows.some((row) => row.name === name)) };
}

function askedRows(
  ledger: readonly LedgerRow[],
  { migration, migrations, to, deployment }: TargetRequest,
  deployed: readonly string[] | null,
): LedgerRow[] {
  const applied = ledger.filter((row) => row.status !== "rolled_back");
  if (to !== undefined) {
    const stays = rowNamed(ledger, to);
    const after = applied.filter((row) => compareMigrations(row, stays) > 0);
    return notEmpty(after, `no applied migration comes after ${stays.name}`);
  }
  if (deployment !== undefined) {
    const rows = ledger.filter((row) => deployed?.includes(row.name));
    return notEmpty(rows, `deployment ${deployment} brought no migration that is applied`);
  }
  if (migration === "latest") return notEmpty(applied.slice(-1), "no migration is applied", "unknown_migration");
  return [...new Set((migrations ?? [migration!]).map((name) => rowNamed(ledger, name)))];
}

function rowNamed(ledger: readonly LedgerRow[], written: string): LedgerRow {
  const name = resolveName(written, ledger);
  const found = ledger.find((row) => row.name === name);
  if (found !== undefined) return found;
  const near = nearNames(
    written,
    ledger.map((row) => row.name),
  );
  throw new BelayError("unknown_migration", `migration ${written} is not in the ledger`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(" or ")}?`
        : "Run `belay list` for those that are, `belay sync` to register what was applied since.",
    details: near.length > 0 ? { migration: written, near } : { migration: written },
  });
}

function notEmpty(rows: LedgerRow[], message: string, code: "usage" | "unknown_migration" = "usage"): LedgerRow[] {
  if (rows.length > 0) return rows;
  throw new BelayError(code, message, {
    hint: "Nothing is left to roll back in the database: roll back the application alone. See `belay list`.",
  });
}

/** Newest first; a rollback SQL that reverses all that another one reverses, and more, stands for both. */
function unitsOf(ledger: readonly LedgerRow[], asked: readonly LedgerRow[], one: LedgerRow | null): SetUnit[] {
  const units: SetUnit[] = [];
  for (const migration of one === null ? [...asked].sort(compareMigrations).reverse() : [one]) {
    const together = reversedBy(ledger, migration);
    if (units.some((unit) => unit.together.includes(migration) && contains(unit.together, together))) continue;
    const swallowed = units.filter((unit) => contains(together, unit.together));
    const kept = units.filter((unit) => !swallowed.includes(unit));
    units.length = 0;
    units.push(...kept, { migration: one ?? newestOf(together, migration), together });
  }
  return units;
}

/** Of migrations with one and the same rollback SQL the newest stands for all. */
function newestOf(together: readonly LedgerRow[], migration: LedgerRow): LedgerRow {
  return together.findLast((row) => row.rollbackSql === migration.rollbackSql) ?? migration;
}

/** The migration and all that its rollback SQL reverses, oldest first. */
export function reversedBy(ledger: readonly LedgerRow[], migration: LedgerRow): LedgerRow[] {
  const reverses = Array.isArray(migration.metadata.reverses) ? (migration.metadata.reverses as unknown[]) : [];
  return ledger.filter((row) => row === migration || reverses.includes(row.name));
}

function contains(all: readonly LedgerRow[], some: readonly LedgerRow[]): boolean {
  return some.every((row) => all.includes(row));
}

/** Newest first, but each only after all that depend on it; where dependencies run in a circle, newest first. */
function orderUnits(units: readonly SetUnit[]): SetUnit[] {
  const waiting = [...units].sort((a, b) => compareMigrations(b.together.at(-1)!, a.together.at(-1)!));
  const ordered: SetUnit[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex((unit) => !waiting.some((other) => other !== unit && needs(other, unit)));
    ordered.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return ordered;
}

function needs(dependent: SetUnit, unit: SetUnit): boolean {
  const names = new Set(unit.together.map((row) => row.name));
  return dependent.together.some((row) => row.dependsOn.some((name) => names.has(name)));
}
