import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import { photograph, run } from "../rollback/helpers.ts";
import { temporaryFolder } from "../support/belay.ts";
import { soloFile } from "../support/policy.ts";
import { createDatabase, serverUrl } from "../support/postgres.ts";

export const repository = join(import.meta.dirname, "../..");
export const main = join(repository, "cli/main.ts");

/** Halves the time that a child needs to start. */
export const compiled = join(repository, ".belay/compile-cache");

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Runs the command line as a user's shell does, without a terminal, and looks at what no output may hold. */
export async function belay(
  words: readonly string[],
  environment: Environment = {},
  options: { cwd?: string; input?: string } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: options.cwd ?? repository,
    env: { PATH: process.env.PATH, USER: "anna", NODE_COMPILE_CACHE: compiled, ...environment },
  });
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (error += text));
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  expectClean(`${out}${error}`, [...words, ...Object.values(environment)]);
  if (words.includes("--json")) JSON.parse(out);
  // Progress is for terminals.
  if (code === 0) expect(error).toBe("");
  return { code, out, error };
}

/** No stack trace, no password of any URL that was passed, no value that was forgotten. */
export function expectClean(text: string, given: readonly (string | undefined)[]): void {
  expect(text).not.toMatch(/^ {4}at /m);
  expect(text).not.toMatch(/undefined|\[object |NaN|null,? null/);
  for (const url of given)
    for (const [, password] of url?.matchAll(/:\/\/[^:/@]*:([^@]+)@/g) ?? []) expect(text).not.toContain(password);
}

export interface Shop {
  readonly url: string;
  readonly store: string;
  readonly environment: Environment;
  /** Where `supabase/migrations` lies. */
  readonly directory: string;
  write(name: string, text: string): void;
  /** Runs SQL in the database. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  belay(...words: string[]): Promise<Ran>;
  /** The one JSON document of a command that is expected to end with `code`. */
  // biome-ignore lint/suspicious/noExplicitAny: looked at field by field
  json(code: number, ...words: string[]): Promise<any>;
  drop(): Promise<void>;
}

export const section = (forward: string, ...rollback: string[]): string =>
  [forward, "-- ROLLBACK START", ...rollback.map((line) => `-- ${line}`), "-- ROLLBACK END", ""].join("\n");

/** A checkout with a migrations folder whose files ran in a database of its own, with Belay installed and synced. */
export async function openShop(
  files: Readonly<Record<string, string>>,
  rows = "",
  options: { owner?: { role: string; password: string } } = {},
): Promise<Shop> {
  const database = await createDatabase();
  const { owner } = options;
  if (owner !== undefined) await run(database.url, `alter database ${database.name} owner to ${owner.role}`);
  const url = owner === undefined ? database.url : asRole(database.url, owner.role, owner.password);
  const directory = temporaryFolder();
  const store = pathToFileURL(join(directory, "store")).href;
  const environment = {
    BELAY_DATABASE_URL: url,
    BELAY_STORE: store,
    BELAY_SCRATCH_URL: await serverUrl(),
    BELAY_ACTOR: "anna",
    BELAY_POLICY: join(directory, "solo.json"),
  };
  writeFileSync(environment.BELAY_POLICY, JSON.stringify({ ...soloFile, limits: { lockWaitMs: 6_000 } }));
  const write = (name: string, text: string) => {
    const path = join(directory, "supabase/migrations", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const [name, text] of Object.entries(files)) {
    write(name, text);
    await run(url, text);
  }
  const call = (...words: string[]) => belay(words, environment, { cwd: directory });
  const shop: Shop = {
    url,
    store,
    environment,
    directory,
    write,
    sql: (text) => run(url, text),
    belay: call,
    json: async (code, ...words) => {
      const ran = await call(...words, "--json");
      expect({ code: ran.code, error: ran.error }, ran.out).toEqual({ code, error: "" });
      return JSON.parse(ran.out);
    },
    drop: database.drop,
  };
  await shop.json(0, "init");
  await shop.json(0, "sync", "--applied-to", "latest");
  if (rows !== "") await run(url, rows);
  return shop;
}

/** Catalog, rows, sequences and ledger: what a refusal leaves as it was. */
export async function state(url: string): Promise<unknown> {
  const ledger = await run(
    url,
    `select h.migration_name, h.status, max(r.revision) as revision
       from belay.migration_history h join belay.migration_revisions r using (migration_name) group by 1, 2 order by 1`,
  );
  return { ...(await photograph(url)), ledger };
}

/** The same place for another role. */
export function asRole(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = password;
  return other.href;
}
