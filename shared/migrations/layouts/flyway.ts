import type { LayoutProblem } from "../types.ts";
import { buildMigration } from "./build.ts";
import {
  canonicalVersion,
  type LayoutReading,
  migrationName,
  problemAt,
  type SourceFile,
  type SourceFolder,
} from "./source.ts";

const versioned = /^([VUB])(\d+(?:[._]\d+)*)__.*\.sql$/;
const repeatable = /^R__.*\.sql$/;

/** The part of a Flyway file name before `__`; null for any other name. */
export function flywayName(name: string): { readonly kind: "V" | "U" | "B" | "R"; readonly version: string } | null {
  if (repeatable.test(name)) return { kind: "R", version: "" };
  const [, kind, version] = versioned.exec(name) ?? [];
  return kind === undefined ? null : { kind: kind as "V" | "U" | "B", version: version!.replaceAll("_", ".") };
}

/** `V2__x.sql` and `U2__x.sql`, in the folder and in those beneath it, as Flyway scans them. */
export function readFlyway(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const named = [...folder.files, ...folder.folders.flatMap((one) => one.files)].flatMap((file) => {
    const found = flywayName(file.name);
    return found === null ? [] : [{ file, ...found }];
  });
  const undos = undoFiles(
    named.filter((one) => one.kind === "U"),
    problems,
  );
  const migrations = named
    .filter((one) => one.kind === "V")
    .map(({ file, version }) => {
      const key = canonicalVersion(version);
      const undo = undos.get(key);
      undos.delete(key);
      return buildMigration(
        {
          name: migrationName(file.name),
          version,
          layout: "flyway",
          file,
          forwardSql: file.text,
          rollback: undo === undefined ? null : { file: undo, sql: undo.text, line: 1 },
          transactional: {
            up: runsInTransaction(folder, file),
            down: undo === undefined || runsInTransaction(folder, undo),
          },
        },
        problems,
      );
    });
  for (const file of undos.values())
    problems.push(problemAt(file, 1, "orphan_rollback", `${file.name} has no V file of its version`, "warning"));
  for (const { file, kind } of named) {
    if (kind === "R" || kind === "B") problems.push(problemAt(file, 1, "not_supported", whyNot(kind, file), "warning"));
  }
  return { migrations, problems };
}

function undoFiles(
  undos: readonly { readonly file: SourceFile; readonly version: string }[],
  problems: LayoutProblem[],
): Map<string, SourceFile> {
  const byVersion = new Map<string, SourceFile>();
  for (const { file, version } of undos) {
    const other = byVersion.get(canonicalVersion(version));
    if (other === undefined) byVersion.set(canonicalVersion(version), file);
    else
      problems.push(
        problemAt(file, 1, "duplicate_rollback", `${file.name} undoes version ${version}, as ${other.name} does`),
      );
  }
  return byVersion;
}

function runsInTransaction(folder: SourceFolder, file: SourceFile): boolean {
  const settings = folder.settings.get(`${file.path}.conf`);
  return settings === undefined || !/^[ \t]*executeInTransaction[ \t]*=[ \t]*false\b/im.test(settings);
}

function whyNot(kind: "R" | "B", file: SourceFile): string {
  return kind === "R"
    ? `${file.name} is a repeatable migration: it has no version and no undo, and is left out; a rollback does not take back what it changed`
    : `${file.name} is a baseline: it stands for the migrations up to its version and has no undo, and is left out`;
}
