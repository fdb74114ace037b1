import type { LayoutProblem } from "../types.ts";
import { buildMigration } from "./build.ts";
import { type LayoutReading, problemAt, type SourceFolder, versionOf } from "./source.ts";

export const upFile = /\.up\.sql$/i;
export const downFile = /\.down\.sql$/i;

/** `0001_x.up.sql` and `0001_x.down.sql`, as golang-migrate names them. */
export function readUpDownPairs(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const downs = new Map(
    folder.files.filter((file) => downFile.test(file.name)).map((file) => [file.name.replace(downFile, ""), file]),
  );
  const ups = folder.files.filter((file) => upFile.test(file.name) && versionOf(file.name) !== null);
  const migrations = ups.map((up) => {
    const name = up.name.replace(upFile, "");
    const down = downs.get(name);
    downs.delete(name);
    return buildMigration(
      {
        name,
        version: versionOf(up.name)!,
        layout: "up-down-pair",
        file: up,
        forwardSql: up.text,
        rollback: down === undefined ? null : { file: down, sql: down.text, line: 1 },
      },
      problems,
    );
  });
  for (const down of downs.values())
    problems.push(problemAt(down, 1, "orphan_rollback", `${down.name} has no .up.sql beside it`, "warning"));
  return { migrations, problems };
}
