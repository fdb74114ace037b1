import { afterEach, expect, test } from "vitest";
import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { fillEmptyTables } from "../rollback/generate-rows.ts";
import { testBelay } from "../support/belay.ts";
import { createDebianDatabase, describeWithDebian, pgDump, pgRestore, runProgram } from "../support/debian.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { archiveFolder, example, load, rich, samples } from "./support.ts";

describeWithDebian("a dump of a whole database, checked with stock pg_dump and pg_restore 15", () => {
  const made: TestDatabase[] = [];
  afterEach(async () => {
    for (const database of made.splice(0)) await database.drop();
  });
  const create = async () => {
    const database = await createDebianDatabase();
    made.push(database);
    return database;
  };

  test.each([rich, example, ...samples])(
    "$name, with rows: pg_restore -j2 and Belay's restore give the same pg_dump, as stock pg_dump -Fd does",
    async (example) => {
      const source = await create();
      await load(source.url, example);
      const session = await openSession(source.url);
      await fillEmptyTables(session);
      await session.close();
      const belay = testBelay({ database: source.url });
      const manifest = await dumpDatabase(belay, { reason: "test" });
      const folder = archiveFolder(belay.store, manifest.id);
      const wanted = await pgDump(source.url);

      const listed = await runProgram("pg_restore", ["-l", folder]);
      for (const { schema, table } of manifest.tables) expect(listed).toContain(`TABLE DATA ${schema} ${table} `);
      expect((await verifyArchive(belay.store, manifest.id)).problems).toEqual([]);

      const stock = `${folder}.stock`;
      await runProgram("pg_dump", ["-Fd", "-f", stock], { url: source.url });
      for (const from of [folder, stock]) {
        const target = await create();
        await pgRestore(target.url, from, "-j2");
        expect(await pgDump(target.url)).toBe(wanted);
      }
      const target = await create();
      const archive = await openArchive(manifest.id, { store: belay.store });
      const report = await restoreArchive({ archive, url: target.url });
      expect(await pgDump(target.url)).toBe(wanted);
      expect(report.rows).toBe(manifest.tables.reduce((sum, table) => sum + table.rows, 0));
    },
  );
});
