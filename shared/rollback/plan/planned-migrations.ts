import type { PlannedMigration } from "../types.ts";
import type { Facts, UnitFacts } from "./facts.ts";

/** The set, migration by migration in the order in which they go, each with what its rollback SQL destroys. */
export function plannedMigrations(facts: Facts): PlannedMigration[] {
  return facts.units.flatMap((unit, index) => {
    const own = destroyedBy(facts, index);
    // The one whose SQL runs stands first; what it reverses with it follows, newest first.
    const others = [...unit.together].reverse().filter((row) => row.name !== unit.migration.name);
    return [unit.migration, ...others].map((row) => {
      const reversedBy = row === unit.migration ? null : unit.migration.name;
      return {
        migration: row.name,
        version: row.version,
        status: row.status,
        appliedAt: row.appliedAt,
        file: row.sourceFile,
        rollbackFile: row.rollbackSql === null ? null : unit.file,
        rollbackLine: row.rollbackSql === null ? null : unit.line,
        reversedBy,
        sql: reversedBy === null ? sqlOf(unit) : "",
        destroys: reversedBy === null ? own : nothing,
      };
    });
  });
}

const nothing: PlannedMigration["destroys"] = { tables: [], columns: [], sequences: [], rows: 0, objects: 0 };

function sqlOf({ prepared }: UnitFacts): string {
  return prepared.refusals.length > 0 ? "" : prepared.sql;
}

function destroyedBy(facts: Facts, unit: number): PlannedMigration["destroys"] {
  const { losses, effect } = facts;
  const { takenBy } = effect;
  const byThis = (oid: number) => takenBy.gone.get(`1259/${oid}/0`) === unit;
  const tables = losses.tables.filter(({ oid }) => byThis(oid));
  return {
    tables: tables.map(({ schema, table }) => `${schema}.${table}`),
    columns: losses.columns.flatMap(({ schema, table, oid, columns }) => {
      const numbers = effect.lostColumns.find(({ relid }) => relid === oid)?.numbers ?? [];
      const own = columns.filter((_, at) => takenBy.gone.get(`1259/${oid}/${numbers[at]}`) === unit);
      return own.length === 0 ? [] : [`${schema}.${table} (${own.join(", ")})`];
    }),
    sequences: losses.sequences.filter(({ oid }) => byThis(oid)).map(({ schema, name }) => `${schema}.${name}`),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    objects: effect.objects.filter(({ key, change }) => change === "destroyed" && takenBy.objects.get(key) === unit)
      .length,
  };
}

/** The migration whose rollback SQL does what an entry key names. */
export function migrationOf(facts: Facts, key: string): string {
  return facts.units[facts.effect.takenBy.objects.get(key) ?? 0]?.migration.name ?? facts.migration.name;
}
