import { execFile } from "node:child_process";
import { join } from "node:path";
import { debianPrograms } from "../../../servers/debian.ts";

/** Runs one of PostgreSQL's own programs; rejects with what it wrote to its standard error. */
export function stock(program: "pg_dump" | "pg_restore" | "psql", args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const path = join(debianPrograms() ?? "", program);
    execFile(path, args, { maxBuffer: 1 << 28, env: { LC_ALL: "C" } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${stderr || error.message}`));
    });
  });
}

/** pg_dump's schema of a database without Belay's, as blocks in a fixed order; columns within a table sorted by name. */
export async function schemaOf(url: string): Promise<string[]> {
  const text = await stock("pg_dump", ["-s", "-N", "belay", "-d", url]);
  return text
    .replace(/^\\(un)?restrict .*\n/gm, "")
    .split(/^--\n-- /m)
    .map((block) => (/^Name: .*; Type: (TABLE|ACL)/.test(block) ? sortedLines(block) : block))
    .sort();
}

function sortedLines(block: string): string {
  return block
    .split("\n")
    .map((line) => line.replace(/,$/, ""))
    .sort()
    .join("\n");
}

/** First differing lines of two schemas; empty when they are equal but for the order of columns. */
export function schemaDifferences(before: readonly string[], after: readonly string[]): string[] {
  const was = new Set(before.flatMap((block) => block.split("\n")));
  const is = new Set(after.flatMap((block) => block.split("\n")));
  if (before.join("") === after.join("")) return [];
  const lines = [
    ...[...was].filter((line) => !is.has(line)).map((line) => `- ${line}`),
    ...[...is].filter((line) => !was.has(line)).map((line) => `+ ${line}`),
  ];
  return lines.length === 0 ? ["the same lines in another order"] : lines.slice(0, 12);
}
