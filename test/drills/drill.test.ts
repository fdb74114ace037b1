import { createHash } from "node:crypto";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listDrills, readDrill } from "../../drills/results.ts";
import { runDrill } from "../../drills/run-drill.ts";
import type { DrillReport } from "../../drills/types.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { verifyAudit } from "../../shared/audit.ts";
import type { Belay } from "../../shared/context.ts";
import { makeWorld, type World } from "../functions/world.ts";

const schema = `
  create type mood as enum ('calm', 'tense');
  create table team (id bigint generated always as identity primary key, name text not null unique);
  create table player (id serial primary key, team_id bigint references team, mood mood default 'calm', "Odd name" text);
  create view calm_players as select * from player where mood = 'calm';
  create table score (player_id int references player, at date, points int, primary key (player_id, at)) partition by range (at);
  create table score_2026 partition of score for values from ('2026-01-01') to ('2027-01-01');
  insert into team (name) select 'team ' || i from generate_series(1, 20) i;
  insert into player (team_id, "Odd name") select 1 + i % 20, 'name ' || i from generate_series(1, 500) i;
  insert into score select i, '2026-03-01', i * 2 from generate_series(1, 500) i;`;

let world: World;
let belay: Belay;
let archive: Manifest;
let folder: string;

beforeAll(async () => {
  world = await makeWorld();
  await world.session.run(schema);
});
afterAll(() => world.drop());
beforeEach(async () => {
  belay = world.belay("drill tester");
  archive = await dumpDatabase(belay, { reason: "test" });
  folder = join(world.storeFolder, "archives", archive.id);
});

const drill = () => runDrill(belay, { archiveId: archive.id });
const check = (report: DrillReport, name: string) => report.checks.find((one) => one.name === name);

async function scratchIsGone(report: DrillReport): Promise<boolean> {
  const rows = await world.session.sql`select from pg_database where datname = ${report.scratchDatabase}`;
  return report.scratchDatabase !== null && rows.length === 0;
}

/** Rewrites one object and its record in the manifest, as someone would who repairs hashes over damaged content. */
async function rewrite(
  file: string,
  change: (content: Buffer) => Buffer,
  alter: (manifest: Manifest) => void = () => {},
) {
  const stored = gzipSync(change(gunzipSync(await readFile(join(folder, file)))));
  await writeFile(join(folder, file), stored);
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
  const object = manifest.objects.find((one) => one.file === file)!;
  object.bytes = stored.length;
  object.sha256 = createHash("sha256").update(stored).digest("hex");
  alter(manifest);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

const dataFile = (table: string) => archive.tables.find((one) => one.table === table)!.file;

describe("a good archive", () => {
  it("passes every check, is on record, and its scratch database is gone", async () => {
    const report = await drill();
    expect(report.checks.filter((one) => one.state !== "passed")).toEqual([]);
    expect(report.verdict).toBe("pass");
    expect(report.checks.map((one) => one.name)).toEqual([
      "decode",
      "environment",
      "restore",
      "tables",
      "counts",
      "digests",
      "catalog",
      "sequences",
      "foreign_keys",
    ]);
    expect(report.phases.map((phase) => phase.name)).toEqual([
      "choose",
      "decode",
      "scratch",
      "restore",
      "check",
      "drop",
    ]);
    expect(await readDrill(belay, report.drillId)).toEqual(report);
    expect(await scratchIsGone(report)).toBe(true);
    const [audit] = await world.session.sql`select * from belay.audit_log where subject = ${report.drillId}`;
    expect(audit).toMatchObject({ action: "drill.finished", actor: "drill tester" });
    expect((await verifyAudit(world.session)).ok).toBe(true);
  });

  it("is chosen as the latest", async () => {
    expect((await runDrill(belay, { archiveId: "latest" })).archiveId).toBe(archive.id);
  });
});

describe("a planted fault turns the drill red", () => {
  it("a flipped bit", async () => {
    const path = join(folder, dataFile("player"));
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    expect(await drill()).toMatchObject({
      verdict: "backup_bad",
      summary: expect.stringMatching(/^decode: .*dat\.gz/),
    });
  });

  it("a flipped bit in the table of contents", async () => {
    const path = join(folder, "toc.dat");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    expect((await drill()).verdict).toBe("backup_bad");
  });

  it("a file cut short", async () => {
    await truncate(join(folder, dataFile("player")), 100);
    expect((await drill()).verdict).toBe("backup_bad");
  });

  it("a missing object", async () => {
    await rm(join(folder, dataFile("team")));
    const report = await drill();
    expect(report.verdict).toBe("backup_bad");
    expect(check(report, "restore")).toBeUndefined();
  });

  it("a manifest that is cut short", async () => {
    await truncate(join(folder, "manifest.json"), 200);
    expect((await drill()).verdict).toBe("backup_bad");
  });

  it("a lost row, though every hash in the manifest was made to fit", async () => {
    const without = (content: Buffer) => Buffer.from(content.toString().replace(/^250\t.*\n/m, ""));
    await rewrite(dataFile("score_2026"), without, (manifest) => {
      const table = manifest.tables.find((one) => one.table === "score_2026")!;
      table.rows -= 1;
      table.rawBytes -= "250\t2026-03-01\t500\n".length;
    });
    const report = await drill();
    expect(report.verdict).toBe("backup_bad");
    expect(check(report, "digests")?.state).toBe("failed");
  });

  it("a changed value of the same length, though every hash was made to fit", async () => {
    await rewrite(dataFile("score_2026"), (content) => Buffer.from(content.toString().replace("\t500\n", "\t501\n")));
    const report = await drill();
    expect(report).toMatchObject({ verdict: "backup_bad", summary: expect.stringMatching(/^digests: .*score_2026/) });
  });

  it("an orphan row, which the restore's own foreign key refuses", async () => {
    await rewrite(dataFile("score_2026"), (content) => Buffer.from(content.toString().replace(/^250\t/m, "999\t")));
    const report = await drill();
    expect(report.verdict).toBe("backup_bad");
    expect(check(report, "restore")?.state).toBe("failed");
    expect(await scratchIsGone(report)).toBe(true);
  });

  it("an object that the manifest records with another definition", async () => {
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
    manifest.entries.find((entry) => entry.key.startsWith("VIEW "))!.hash = "0".repeat(64);
    await writeFile(path, JSON.stringify(manifest));
    expect(await drill()).toMatchObject({
      verdict: "backup_bad",
      summary: expect.stringMatching(/^catalog: .*calm_players/),
    });
  });

  it("a sequence behind its column in the source", async () => {
    await world.session.run("select setval('player_id_seq', 3)");
    try {
      archive = await dumpDatabase(belay, { reason: "behind" });
      const report = await drill();
      expect(report).toMatchObject({
        verdict: "backup_bad",
        summary: expect.stringMatching(/^sequences: .*player_id_seq is behind/),
      });
    } finally {
      await world.session.run("select setval('player_id_seq', 500)");
    }
  });
});

describe("what is not the backup's fault", () => {
  it("a role that the scratch server lacks is an environment mismatch", async () => {
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
    manifest.roles.push("nobody_has_this_role");
    await writeFile(path, JSON.stringify(manifest));
    const report = await drill();
    expect(report).toMatchObject({
      verdict: "environment_mismatch",
      summary: expect.stringContaining("nobody_has_this_role"),
    });
    expect(await scratchIsGone(report)).toBe(true);
  });

  it("a scratch server that does not answer is inconclusive", async () => {
    belay = { ...belay, scratchUrl: "postgres://postgres@127.0.0.1:1/postgres" };
    const report = await drill();
    expect(report.verdict).toBe("inconclusive");
    expect(report.finishedAt).not.toBeNull();
  });

  it("no scratch server is inconclusive", async () => {
    belay = { ...belay, scratchUrl: null };
    expect((await drill()).verdict).toBe("inconclusive");
  });

  it("more than an edge function may restore is inconclusive and names the way", async () => {
    belay = { ...belay, settings: { ...belay.settings, archiveBudgetBytes: 1000 } };
    const report = await drill();
    expect(report.verdict).toBe("inconclusive");
    expect(report.summary).toMatch(/1000/);
  });
});

it("an archive that is not there is refused before anything is recorded", async () => {
  const before = await listDrills(belay, { limit: 200 });
  await expect(runDrill(belay, { archiveId: "no-such-archive" })).rejects.toMatchObject({ code: "unknown_archive" });
  expect((await listDrills(belay, { limit: 200 })).items.length).toBe(before.items.length);
});

it("the list pages through every drill once, newest first", async () => {
  const all = (await listDrills(belay, { limit: 200 })).items.map((one) => one.drillId);
  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listDrills(belay, { limit: 3, cursor });
    paged.push(...page.items.map((one) => one.drillId));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  expect(paged).toEqual(all);
  expect(all.length).toBeGreaterThan(10);
});

it("nothing but the archives and the audit log's anchors was left in the store", async () => {
  expect((await readdir(world.storeFolder)).sort()).toEqual(["archives", "audit"]);
});
