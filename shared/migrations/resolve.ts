import { compareMigrations, versionOf } from "./layouts/source.ts";
import type { LayoutProblem, Migration } from "./types.ts";

/** Settles declared dependencies by name; reports unknown ones, cycles and versions that occur twice. */
export function resolveMigrations(read: readonly Migration[]): { migrations: Migration[]; problems: LayoutProblem[] } {
  const problems: LayoutProblem[] = [];
  const sorted = [...read].sort(compareMigrations);
  problems.push(...duplicates(sorted));
  const migrations = sorted.map((migration) => ({
    ...migration,
    dependsOn: distinct(
      migration.dependsOn.flatMap((dependency) => {
        const name = resolveName(dependency.name, sorted);
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

/** A migration's name from what a person writes: name, file name or version. */
export function resolveName(
  written: string,
  migrations: readonly { readonly name: string; readonly version: string }[],
): string | null {
  const plain = written.replace(/^.*[\\/]/, "").replace(/(\.up|\.down)?\.sql$/i, "");
  if (migrations.some((migration) => migration.name === plain)) return plain;
  const sameVersion = migrations.filter((migration) => migration.version === versionOf(plain));
  return plain === versionOf(plain) && sameVersion.length === 1 ? sameVersion[0]!.name : null;
}

function duplicates(sorted: readonly Migration[]): LayoutProblem[] {
  const byVersion = Map.groupBy(sorted, (migration) => migration.version.replace(/^0+(?=\d)/, ""));
  return [...byVersion.values()].flatMap((same) =>
    same.slice(1).map((migration) => ({
      code: "duplicate_version" as const,
      severity: "error" as const,
      message: `${migration.name} has version ${migration.version}, as ${same[0]!.name} has`,
      place: { file: migration.file, line: 1 },
    })),
  );
}

function cycles(migrations: readonly Migration[]): LayoutProblem[] {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  const state = new Map<string, "open" | "done">();
  const problems: LayoutProblem[] = [];
  const visit = (migration: Migration, path: readonly string[]): void => {
    state.set(migration.name, "open");
    for (const dependency of migration.dependsOn) {
      const next = byName.get(dependency.name)!;
      if (state.get(next.name) === "open") {
        const circle = [...path.slice(path.indexOf(next.name)), next.name];
        problems.push({
          code: "cycle",
          severity: "error",
          message: `dependencies run in a circle: ${circle.join(" → ")}`,
          place: dependency.place,
        });
      } else if (!state.has(next.name)) visit(next, [...path, next.name]);
    }
    state.set(migration.name, "done");
  };
  for (const migration of migrations) if (!state.has(migration.name)) visit(migration, [migration.name]);
  return problems;
}

function distinct<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...new Map(items.toReversed().map((item) => [item.name, item])).values()].toReversed();
}
