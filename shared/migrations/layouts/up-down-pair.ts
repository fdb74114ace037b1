import { isBlankSql } from "../../sql/blank.ts";
import type { LayoutProblem, Migration, RollbackSql } from "../types.ts";
import { declaredDependencies } from "./depends-on.ts";
import {
  forwardChecksum,
  type LayoutReading,
  noVersion,
  type SourceFile,
  type SourceFolder,
  sha256,
  versionOf,
} from "./source.ts";

const upFile = /\.up\.sql$/i;
const downFile = /\.down\.sql$/i;

/** `0001_x.up.sql` and `0001_x.down.sql`, as golang-migrate names them. */
export function readUpDownPairs(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const downs = new Map(
    folder.files.filter((file) => downFile.test(file.name)).map((file) => [file.name.replace(downFile, ""), file]),
  );
  const ups = folder.files.filter((file) => upFile.test(file.name));
  const migrations = ups.flatMap((up) => {
    if (versionOf(up.name) === null) {
      problems.push(noVersion(up));
      return [];
    }
    const name = up.name.replace(upFile, "");
    const down = downs.get(name);
    downs.delete(name);
    return [readPair(name, up, down, problems)];
  });
  for (const down of downs.values())
    problems.push(warning("unreadable", down, `${down.name} has no .up.sql beside it and was left out`));
  for (const other of folder.files.filter((file) => !upFile.test(file.name) && !downFile.test(file.name)))
    problems.push(warning("unreadable", other, `${other.name} is neither .up.sql nor .down.sql and was left out`));
  return { migrations, problems };
}

function readPair(name: string, up: SourceFile, down: SourceFile | undefined, problems: LayoutProblem[]): Migration {
  if (down !== undefined && isBlankSql(down.text))
    problems.push(warning("empty_rollback", down, `${down.name} holds no SQL: it counts as missing`));
  const rollback: RollbackSql | null =
    down === undefined || isBlankSql(down.text)
      ? null
      : { sql: down.text, file: down.path, line: 1, reverses: [name], selfReversing: false };
  return {
    name,
    version: versionOf(up.name)!,
    layout: "up-down-pair",
    file: up.path,
    forwardSql: up.text,
    rollback,
    checksum: forwardChecksum(up.text),
    fileChecksum: down === undefined ? sha256(up.text) : sha256(up.text, down.text),
    dependsOn: declaredDependencies(up, new Set()),
    verifySql: null,
  };
}

function warning(code: LayoutProblem["code"], file: SourceFile, message: string): LayoutProblem {
  return { code, severity: "warning", message, place: { file: file.path, line: 1 } };
}
