import { canonicalVersion, compareMigrations } from "./layouts/source.ts";
import type { LayoutProblem, Migration } from "./types.ts";

/** Settles declared dependencies by name; reports unknown ones, cycles and versions that occur twice. */
export function resolveMigrations(read: readonly Migration[]): { migrations: Migration[]; problems: LayoutProblem[] } {
  const problems: LayoutProblem[] = [];
  const sorted = [...read].sort(compareMigrations);
  problems.push(...duplicates(sorted));
  const index = indexOf(sorted);
  const migrations = sorted.map((migration) => ({
    ...migration,
    dependsOn: distinct(
      migration.dependsOn.flatMap((dependency) => {
        const name = lookUp(dependency.name, index);
        if (name !== null) return [{ name, place: dependency.place }];
        problems.push({
          code: "unknown_dependency",
          severity: "error",
          message: `${migration.name} depends on ${dependency.name}, which is not in the folder`,
          place: dependency.place,
        });
        return [];
      }),
    ),
  }));
  problems.push(...cycles(migrations));
  return { migrations, problems };
}

interface Named {
  readonly name: string;
  readonly version: string;
}

interface NameIndex {
  readonly names: ReadonlySet<string>;
  readonly byVersion: ReadonlyMap<string, readonly Named[]>;
}

/** A migration's name from what a person writes: name, file name (or its folder's, for up.sql) or version. */
export function resolveName(written: string, migrations: readonly Named[]): string | null {
  return lookUp(written, indexOf(migrations));
}

function indexOf(migrations: readonly Named[]): NameIndex {
  return {
    names: new Set(migrations.map(({ name }) => name)),
    byVersion: Map.groupBy(migrations, ({ version }) => canonicalVersion(version)),
  };
}

function lookUp(written: string, { names, byVersion }: NameIndex): string | null {
  const plain = written
    .replace(/[\\/](?:up|down|migration)\.sql$/, "")
    .replace(/^.*[\\/]/s, "")
    .replace(/(\.up|\.down)?\.sql$/i, "");
  if (names.has(plain)) return plain;
  if (!/^\d+([._-]\d+)*$/.test(plain)) return null;
  const sameVersion = byVersion.get(canonicalVersion(plain)) ?? [];
  return sameVersion.length === 1 ? sameVersion[0]!.name : null;
}

/** sql-migrate and Prisma know a migration by its whole name: there a version may occur twice. */
function isKnownByName(migration: Migration): boolean {
  return (
    migration.layout === "sql-migrate" ||
    (migration.layout === "folder-pair" && /[\\/]migration\.sql$/.test(migration.file))
  );
}

function duplicates(sorted: readonly Migration[]): LayoutProblem[] {
  const byVersion = Map.groupBy(
    sorted.filter((migration) => !isKnownByName(migration)),
    (migration) => canonicalVersion(migration.version),
  );
  return [...byVersion.values()].flatMap((same) =>
    same.slice(1).map((migration) => ({
      code: "duplicate_version" as const,
      severity: "error" as const,
      message: `${migration.name} has version ${migration.version}, as ${same[0]!.name} has`,
      place: { file: migration.file, line: 1 },
    })),
  );
}

/** Depth first, with a stack of its own: a chain of thousands is as deep as it is long. */
function cycles(migrations: readonly Migration[]): LayoutProblem[] {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  const state = new Map<string, "open" | "done">();
  const problems: LayoutProblem[] = [];
  for (const start of migrations) {
    if (state.has(start.name)) continue;
    const path: { readonly migration: Migration; next: number }[] = [{ migration: start, next: 0 }];
    state.set(start.name, "open");
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const dependency = top.migration.dependsOn[top.next++];
      if (dependency === undefined) {
        state.set(path.pop()!.migration.name, "done");
      } else if (state.get(dependency.name) === "open") {
        const names = path.map(({ migration }) => migration.name);
        const circle = [...names.slice(names.indexOf(dependency.name)), dependency.name];
        problems.push({
          code: "cycle",
          severity: "error",
          message: `dependencies run in a circle: ${circleWords(circle)}`,
          place: dependency.place,
        });
      } else if (!state.has(dependency.name)) {
        state.set(dependency.name, "open");
        path.push({ migration: byName.get(dependency.name)!, next: 0 });
      }
    }
  }
  return problems;
}

function circleWords(circle: readonly string[]): string {
  if (circle.length <= 12) return circle.join(" → ");
  return [...circle.slice(0, 6), `${circle.length - 12} more`, ...circle.slice(-6)].join(" → ");
}

function distinct<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...new Map(items.toReversed().map((item) => [item.name, item])).values()].toReversed();
}
