import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, inject } from "vitest";
import { debianMajor, debianPrograms } from "../../servers/debian.ts";
import { createDatabaseOn, type TestDatabase } from "./postgres.ts";

const programs = debianPrograms(debianMajor);

/** Whether Debian's postgresql-15 is installed. */
export const hasDebian = programs !== null;

/** `describe` for tests that need stock pg_dump, pg_restore or psql; says so when they are missing. */
export function describeWithDebian(name: string, body: () => void): void {
  describe.skipIf(!hasDebian)(hasDebian ? name : `${name} (skipped: apt-get install postgresql-15)`, body);
}

/** Superuser's URL of a Debian server that lives as long as the run. */
export function debianUrl(): string {
  const url = inject("debianUrl");
  if (url === null) throw new Error("Debian's postgresql-15 is not installed: use describeWithDebian");
  return url;
}

/** An empty database on the Debian server. */
export function createDebianDatabase(sql?: string): Promise<TestDatabase> {
  return createDatabaseOn(debianUrl(), sql);
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export type Program = "pg_dump" | "pg_restore" | "psql" | "pg_dumpall";

/** Runs one of Debian's programs; `url` becomes its database, with the password out of the process list. */
export function tryProgram(
  program: Program,
  args: readonly string[],
  options: { url?: string; input?: string } = {},
): Promise<Output> {
  const { place, password } = withoutPassword(options.url);
  const flags = place === null ? [] : program === "pg_restore" ? [`--dbname=${place}`] : ["-d", place];
  const child = spawn(join(programs ?? "", program), [...flags, ...args], {
    env: { PATH: process.env.PATH, LC_ALL: "C", ...(password === "" ? {} : { PGPASSWORD: password }) },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (output.stderr += text));
  // Most of them read nothing from it, and may have ended before.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ ...output, code: code ?? 1 }));
  });
}

/** Like tryProgram, but throws with what the program wrote when it fails. Returns its standard output. */
export async function runProgram(...call: Parameters<typeof tryProgram>): Promise<string> {
  const { stdout, stderr, code } = await tryProgram(...call);
  if (code !== 0) throw new Error(`${call[0]} ${call[1].join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Stock pg_dump's text, without the random `\restrict` lines and the version comments that differ between runs. */
export async function pgDump(url: string, ...args: string[]): Promise<string> {
  const text = await runProgram("pg_dump", args, { url });
  return text.replace(/^\\(un)?restrict .*\n/gm, "").replace(/^-- Dumped (from|by) .*\n/gm, "");
}

/** Restores an archive folder or file with stock pg_restore; stops at the first error. */
export function pgRestore(url: string, archive: string, ...args: string[]): Promise<string> {
  return runProgram("pg_restore", ["--exit-on-error", ...args, archive], { url });
}

/** Runs SQL text with stock psql; stops at the first error. */
export function psql(url: string, sql: string, ...args: string[]): Promise<string> {
  return runProgram("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", ...args], { url, input: sql });
}

function withoutPassword(url: string | undefined): { place: string | null; password: string } {
  if (url === undefined) return { place: null, password: "" };
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { place: parsed.href, password };
}
