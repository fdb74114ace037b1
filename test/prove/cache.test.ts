import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openProofFile } from "../../cli/proof-cache.ts";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { temporaryFolder } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";
import { filesOf, proofsOf, writeFiles } from "./support.ts";

const pairs = {
  "1_a": ["create table a (id int)", "drop table a"],
  "2_b": ["create table b (id int)", "drop table b"],
  "3_c": ["create table c (id int)", "drop table c"],
} as const;

const noServer = () => Promise.reject(new Error("a server was asked for"));

async function provedFolder() {
  const directory = writeFiles(filesOf(pairs));
  const file = join(temporaryFolder(), "proofs.jsonl");
  const prove = async (options: Parameters<typeof proofsOf>[1] = {}) =>
    proofsOf(await readMigrationFolder(directory), { cache: await openProofFile(file), ...options });
  const first = await prove();
  return { directory, file, prove, first };
}

const cachedOf = (proofs: Readonly<Record<string, Proof>>) => Object.values(proofs).map(({ cached }) => cached);

describe("proofs of an earlier run", () => {
  it("are taken, without a server, while nothing changed; and only what changed is proved again", async () => {
    const { directory, file, prove, first } = await provedFolder();
    expect(cachedOf(first)).toEqual([false, false, false]);
    const second = await prove({ openServer: noServer });
    expect(cachedOf(second)).toEqual([true, true, true]);
    expect(second["2_b"]).toEqual({ ...first["2_b"], cached: true });

    writeFileSync(join(directory, "2_b.down.sql"), "drop table b; drop table a");
    const rollbackChanged = await prove();
    expect(cachedOf(rollbackChanged)).toEqual([true, false, true]);
    expect(rollbackChanged["2_b"]!.verdict).toBe("overreach");

    writeFileSync(join(directory, "2_b.up.sql"), "create table b (id bigint)");
    expect(cachedOf(await prove())).toEqual([true, false, false]);

    // What a kill leaves: a line without its end.
    appendFileSync(file, '{"migration": "1_a", "verd');
    expect(cachedOf(await prove({ openServer: noServer }))).toEqual([true, true, true]);
    writeFileSync(join(directory, "3_c.down.sql"), "drop table c; select 1");
    expect(cachedOf(await prove())).toEqual([true, true, false]);
    expect(cachedOf(await prove({ openServer: noServer }))).toEqual([true, true, true]);
  });

  it("do not hold for other settings: the server's version, a setup, generated rows, or when a fix is wanted", async () => {
    const { directory, prove } = await provedFolder();
    writeFileSync(join(directory, "3_c.down.sql"), "select 1");
    await prove();
    await expect(prove({ openServer: noServer, server: "other" })).rejects.toThrow("a server was asked for");
    await expect(prove({ openServer: noServer, setup: { file: "s", sql: "select 1" } })).rejects.toThrow("asked for");
    await expect(prove({ openServer: noServer, seed: { rows: 1, seed: 1 } })).rejects.toThrow("asked for");
    const fixed = await prove({ fix: true });
    expect(cachedOf(fixed)).toEqual([true, true, false]);
    expect(fixed["3_c"]!.fix).toMatch(/drop table/i);
    expect(cachedOf(await prove({ openServer: noServer }))).toEqual([true, true, true]);
  });

  it("hold after a kill in the middle of a run", async () => {
    const directory = writeFiles(filesOf({ ...pairs, "4_slow": ["create table d (id int)", "select pg_sleep(600)"] }));
    const file = join(temporaryFolder(), "proofs.jsonl");
    const main = join(import.meta.dirname, "../../cli/main.ts");
    const words = [main, "prove", directory, "--json", "--cache", file, "--no-fix", "--scratch", await serverUrl()];
    const child = spawn(process.execPath, words, { stdio: "ignore", env: { PATH: process.env.PATH } });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    for (let waited = 0; waited < 60_000 && lineCount(file) < 3; waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGKILL");
    await gone;
    const lines = readFileSync(file, "utf8").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as Proof).migration)).toEqual(["1_a", "2_b", "3_c"]);
  });
});

function lineCount(file: string): number {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}
