import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FlagValues } from "../../cli/command.ts";
import { failPolicy, wantedMigrations } from "../../cli/prove-flags.ts";
import { problemAnnotation, proofAnnotation } from "../../cli/render/github.ts";
import { lineDiff } from "../../cli/render/line-diff.ts";
import { type Proof, type ProofVerdict, proofSchema, proofVerdicts } from "../../shared/migrations/prove/types.ts";
import { defaultPolicy } from "../../shared/rollback/plan/policy.ts";
import { compiled, expectClean } from "../cli/support.ts";
import { temporaryFolder } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";
import { filesOf, folderOf, writeFiles } from "./support.ts";

const main = join(import.meta.dirname, "../../cli/main.ts");

function belay(...words: readonly string[]) {
  return belayAt(temporaryFolder(), ...words);
}

async function belayAt(home: string, ...words: readonly string[]) {
  const child = spawn(process.execPath, [main, ...words], {
    env: { PATH: process.env.PATH, HOME: home, NODE_COMPILE_CACHE: compiled },
  });
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (error += text));
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  expectClean(`${out}${error}`, words);
  return { code, out, error };
}

const pairs = {
  "1_a": ["create table a (id int, name text)", "drop table a"],
  "2_b": ["create index a_name on a (name); create view v as select 1", "drop view v;\n-- the index stays\n"],
  "3_c": ["alter table a add note text", "alter table a drop note;\ndrop table nothing"],
  "4_d": ["create extension not_there", "drop extension not_there"],
  "5_e": ["create table e (id int)"],
} as const;

describe("belay prove", () => {
  it("shows people what is wrong, prints JSON lines and annotations, and exits by the verdicts", async () => {
    const directory = writeFiles(filesOf(pairs));
    const server = ["--scratch", await serverUrl()];
    const cache = ["--cache", join(temporaryFolder(), "proofs.jsonl")];
    const shown = await belay("prove", directory, ...server, ...cache);
    expect(shown.code).toBe(1);
    expect(shown.error).toBe("");
    expect(shown.out).toContain("✓ 1_a  exact\n    loses: all rows of public.a");
    expect(shown.out).toContain("✗ 2_b  residue");
    expect(shown.out).toContain("left over: INDEX public.a_name");
    expect(shown.out).toMatch(/this was tried and ends as before:[\s\S]*drop index/i);
    expect(shown.out).toContain('3_c.down.sql:2:1: table "nothing" does not exist (SQLSTATE 42P01)');
    expect(shown.out).toContain("· 4_d  environment");
    expect(shown.out).toContain("· 5_e  missing");
    expect(shown.out).toMatch(/5 migrations: 1 exact, 1 residue, 1 fails, 1 missing, 1 environment \(PostgreSQL \d+, /);

    const json = await belay("prove", directory, ...server, ...cache, "--json");
    const proofs = json.out
      .trim()
      .split("\n")
      .map((line) => proofSchema.parse(JSON.parse(line)));
    expect(proofs.map(({ migration, cached }) => [migration, cached])).toEqual(
      Object.keys(pairs).map((name) => [name, name !== "4_d"]),
    );
    expect(json.code).toBe(1);

    const github = await belay("prove", directory, ...server, ...cache, "--format", "github");
    expect(github.out).toMatch(
      /^::error file=\S+2_b\.down\.sql,line=1,title=2_b%3A residue::something of the migration stays/m,
    );
    expect(github.out).toMatch(/^::error file=\S+3_c\.down\.sql,line=2,col=1,title=3_c%3A fails::/m);
    expect(github.out).toMatch(/^::warning file=\S+4_d\.up\.sql,line=1,col=1,title=4_d%3A environment::/m);
    expect(github.out).toMatch(
      /^::notice title=belay prove::5 migrations%3A|^::notice title=belay prove::5 migrations: /m,
    );
    expect(github.out).not.toContain("1_a");
  });

  it("proves also where no file can be kept, and says that the next run proves all again", async () => {
    const directory = writeFiles(filesOf({ "1_a": pairs["1_a"] }));
    const server = ["--scratch", await serverUrl()];
    const shown = await belayAt("/dev/null", "prove", directory, ...server);
    expect(shown).toMatchObject({ code: 0, error: "" });
    expect(shown.out.replace(/\s+/g, " ")).toContain("note: proofs could not be kept in /dev/null/");
    const asked = await belay("prove", directory, ...server, "--cache", "/dev/null/proofs.jsonl");
    expect(asked).toMatchObject({ code: 2, error: expect.stringContaining("proofs cannot be kept in") });
  });

  it("starts a server of its own and stops it", async () => {
    const directory = writeFiles(filesOf({ "1_a": pairs["1_a"] }));
    const ran = await belay("prove", directory, "--no-cache");
    expect(ran.out).toMatch(/1 migration: 1 exact \(PostgreSQL 17, /);
    expect(ran.code).toBe(0);
  });
});

describe("a folder without migrations", () => {
  it("is no folder in which nothing fails: prove refuses it and names the folder below that has some", async () => {
    const above = temporaryFolder();
    expect(await belay("prove", above)).toMatchObject({ code: 2, out: "" });
    const below = join(above, "supabase", "migrations");
    mkdirSync(join(below, "rollbacks"), { recursive: true });
    writeFileSync(join(below, "20250101_a.sql"), "create table a (id int);\n");
    writeFileSync(join(below, "rollbacks", "20250101_a.sql"), "drop table a;\n");
    const refused = await belay("prove", above);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.error).toContain(`there is no migration in ${above}\n→ belay prove ${below}\n`);
  });

  it("says what is wrong in the folder though every rollback leads back", async () => {
    const directory = writeFiles(filesOf({ "1_a": pairs["1_a"] }));
    writeFileSync(join(directory, "1_again.up.sql"), "create table again (id int);\n");
    const ran = await belay("prove", directory, "--scratch", await serverUrl(), "--no-cache");
    expect(ran.code).toBe(1);
    expect(ran.out).not.toContain("none fails");
    expect(ran.out).toMatch(/✗ \d errors? in the folder, see above\n$/);
  });
});

describe("the exit code", () => {
  const proof = (verdict: ProofVerdict, up_again = "same") => ({ verdict, up_again }) as Proof;
  const failing = (flags: FlagValues) =>
    proofVerdicts.filter((verdict) => failPolicy(flags, defaultPolicy)(proof(verdict)));

  it("is of failure for what does not lead back, or for what --fail-on names, or for all but exact", () => {
    expect(failing({})).toEqual(["residue", "overreach", "differs", "fails", "noop", "up-fails"]);
    expect(failing({ "fail-on": "missing, column-order" })).toEqual(["column-order", "missing"]);
    const own = failPolicy({}, { prove: { failOn: ["missing"] } });
    expect(proofVerdicts.filter((verdict) => own(proof(verdict)))).toEqual(["missing"]);
    expect(failing({ "fail-on": "none" })).toEqual([]);
    expect(failing({ strict: true })).toEqual(proofVerdicts.filter((verdict) => verdict !== "exact"));
    expect(failPolicy({ strict: true }, defaultPolicy)(proof("exact", "differs"))).toBe(true);
    expect(() => failPolicy({ "fail-on": "exact" }, defaultPolicy)).toThrow("no verdict that can fail");
  });

  it("counts only the migrations that --only and --since ask for", async () => {
    const folder = await folderOf(filesOf(pairs), "up-down-pair");
    const wanted = (flags: FlagValues) =>
      folder.migrations.filter(wantedMigrations(flags, folder)).map(({ name }) => name);
    expect(wanted({ only: ["1_a", "2_b.up.sql", "3"] })).toEqual(["1_a", "2_b", "3_c"]);
    expect(wanted({ since: "4" })).toEqual(["4_d", "5_e"]);
    expect(() => wanted({ only: ["nobody"] })).toThrow("there is no migration nobody");
  });
});

describe("an annotation", () => {
  it("escapes what would end it or begin another", () => {
    const proof = {
      migration: "1_a,b:c",
      verdict: "fails",
      message: "50% of\r\n::error::x",
      differences: [],
      fix: null,
      up_again: "not_run",
      file: "a.up.sql",
      rollback_file: "we,ird:name.sql",
      rollback_line: 7,
      error: null,
    } as unknown as Proof;
    expect(proofAnnotation(proof, true)).toBe(
      "::error file=we%2Cird%3Aname.sql,line=7,title=1_a%2Cb%3Ac%3A fails::50%25 of%0D%0A::error::x",
    );
    const place = { file: "x.sql", line: 3 };
    expect(problemAnnotation({ code: "cycle", severity: "error", message: "a\nb", place })).toBe(
      "::error file=x.sql,line=3,title=migrations folder::a%0Ab",
    );
  });
});

describe("a diff of two texts", () => {
  it("shows the lines that differ, and one around them", () => {
    expect(lineDiff("a\nb\nc\nd", "a\nx\nc\nd")).toEqual(["  a", "- b", "+ x", "  c"]);
    expect(lineDiff("a\nb", "a\nb\nc")).toEqual(["  b", "+ c"]);
  });
});
