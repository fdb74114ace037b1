import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes select n, md5(n::text) from generate_series(1, 300) n;",
  down: "drop table notes;",
};

const pageBytes = 4_096;
const folder = temporaryFolder();
const mount = (options: string) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
const mounted = process.platform === "linux" && process.getuid?.() === 0 && mount(`size=${pageBytes}`);
const resize = (bytes: number) => expect(mount(`remount,size=${bytes}`)).toBe(true);

afterAll(() => {
  if (mounted) spawnSync("umount", [folder]);
});

const why = mounted ? "" : " (skipped: only root may mount a small disk)";
describe.skipIf(!mounted)(`a folder store on a disk that is full${why}`, () => {
  test("wherever in the archive it gets full: told as that, nothing changed, nothing listed; with room the same command works", {
    timeout: 60_000,
  }, async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const before = await photograph(database.url);
    const store = createFolderStore(folder);
    const belay = testBelay({ database: database.url, store });
    const attempt = () => executeRollback(belay, { migration: pair.name, reason: "test" });
    let pages = 1;
    // Each page more is another file that still finds room: data, table of contents, README, manifest.
    for (; pages < 40; pages++) {
      resize(pages * pageBytes);
      const failure = await attempt().then(
        () => null,
        (error) => error,
      );
      if (failure === null) break;
      expect(failure).toMatchObject({ code: "store_failed", hint: expect.stringMatching(/disk is full/i) });
      expect(await listArchives(store)).toEqual([]);
      expect(await run(database.url, "select count(*)::int as rows from notes")).toEqual([{ rows: 300 }]);
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    }
    expect(pages).toBeGreaterThan(4);
    resize(1024 * 1024);
    await undoRollback(belay, { migration: pair.name, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    const outcomes = await run(
      database.url,
      "select outcome, count(*)::int as times from belay.rollbacks group by 1 order by 1",
    );
    expect(outcomes).toEqual([
      { outcome: "committed", times: 1 },
      { outcome: "failed", times: pages - 1 },
      { outcome: "undone", times: 1 },
    ]);
    await database.drop();
  });
});
