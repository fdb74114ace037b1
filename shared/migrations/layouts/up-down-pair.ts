import type { LayoutProblem } from "../types.ts";
import { buildMigration } from "./build.ts";
import { type LayoutReading, problemAt, type SourceFile, type SourceFolder, versionOf } from "./source.ts";

export const upFile = /\.up\.sql$/i;
export const downFile = /\.down\.sql$/i;

const otherDatabase = /\.(mysql|mariadb|sqlite3?|mssql|sqlserver|cockroach(?:db)?|oracle)\.(?:up|down)\.sql$/i;
const postgresOnly = /\.(?:postgres|postgresql|pg)(?=\.(?:up|down)\.sql$)/i;

/** `0001_x.up.sql` and `0001_x.down.sql`, paired by name, else by version, as golang-migrate pairs them. */
export function readUpDownPairs(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const files = forPostgres(folder.files, problems);
  const ups = files.filter((file) => upFile.test(file.name) && versionOf(file.name) !== null);
  const downs = pairs(
    ups,
    files.filter((file) => downFile.test(file.name)),
  );
  const migrations = ups.map((up) => {
    const down = downs.get(up);
    return buildMigration(
      {
        name: up.name.replace(upFile, ""),
        version: versionOf(up.name)!,
        layout: "up-down-pair",
        file: up,
        forwardSql: up.text,
        rollback: down === undefined ? null : { file: down, sql: down.text, line: 1 },
      },
      problems,
    );
  });
  const used = new Set(downs.values());
  for (const down of files.filter((file) => downFile.test(file.name) && !used.has(file)))
    problems.push(problemAt(down, 1, "orphan_rollback", `${down.name} has no .up.sql beside it`, "warning"));
  return { migrations, problems };
}

function pairs(ups: readonly SourceFile[], downs: readonly SourceFile[]): Map<SourceFile, SourceFile> {
  const byName = new Map(downs.map((file) => [file.name.replace(downFile, ""), file]));
  const found = new Map<SourceFile, SourceFile>();
  for (const up of ups) {
    const down = byName.get(up.name.replace(upFile, ""));
    if (down !== undefined) found.set(up, down);
  }
  const used = new Set(found.values());
  const free = Map.groupBy(
    downs.filter((file) => !used.has(file)),
    (file) => versionOf(file.name),
  );
  for (const [version, same] of Map.groupBy(ups, (file) => versionOf(file.name))) {
    const [down, ...more] = free.get(version) ?? [];
    const [up, ...others] = same;
    if (up !== undefined && down !== undefined && !found.has(up) && more.length + others.length === 0)
      found.set(up, down);
  }
  return found;
}

/** Files for other databases are left out; of `x.up.sql` and `x.postgres.up.sql` the one for Postgres counts. */
function forPostgres(files: readonly SourceFile[], problems: LayoutProblem[]): SourceFile[] {
  const own = new Set(
    files.filter((file) => postgresOnly.test(file.name)).map((file) => file.name.replace(postgresOnly, "")),
  );
  return files.filter((file) => {
    const other = otherDatabase.exec(file.name)?.[1];
    if (other === undefined && !own.has(file.name)) return true;
    const why = other === undefined ? "there is one for Postgres beside it" : `it is for ${other}`;
    problems.push(problemAt(file, 1, "left_out", `${file.name} was left out: ${why}`, "warning"));
    return false;
  });
}
