import { expect, test } from "vitest";
import { readManifest } from "../../shared/archive/list.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDebianDatabase, describeWithDebian, pgRestore } from "../support/debian.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const base: Pair = {
  name: "20250101000000_base",
  up: "create table owners (id int primary key); create table cars (id int primary key, owner int); insert into owners values (1); insert into cars values (1, 1);",
  down: "",
};
const pair: Pair = {
  name: "20250102000000_keys",
  up: `alter table cars add constraint cars_owner foreign key (owner) references owners on delete cascade;
    create table keys (id int primary key, car int references cars, spare int references keys); insert into keys values (1, 1, null), (2, 1, 1);
    alter table cars add column colour text, add column weight int; update cars set colour = 'red';
    create table archive_of_a_table_with_a_name_that_is_as_long_as_postgres_allows (id int primary key);
    create schema fleet; create table fleet."cars" (id int primary key, colour text); insert into fleet.cars values (1, 'blue');`,
  down: `alter table cars drop constraint cars_owner; drop table keys; alter table cars drop column colour, drop column weight;
    alter table fleet.cars drop column colour;`,
};

describeWithDebian("foreign keys that lead out of what goes", () => {
  test("are listed in the manifest, are not in the way of pg_restore, and come back with undo", async () => {
    const database = await createDebianDatabase();
    await apply(database.url, base, pair);
    const before = await photograph(database.url);
    const place = temporaryFolder();
    const belay = testBelay({ database: database.url, store: createFolderStore(place) });
    const report = await executeRollback(belay, { migration: pair.name, reason: "test" });
    const manifest = await readManifest(belay.store, report.archiveId!);
    expect(manifest.external.map(({ name, references }) => [name, references]).sort()).toEqual(
      [
        ["cars cars_owner", "public owners"],
        ["keys keys_car_fkey", "public cars"],
      ].sort(),
    );

    const scratch = await createDebianDatabase();
    await pgRestore(scratch.url, `${place}/archives/${report.archiveId}`, "--no-owner");
    expect(await run(scratch.url, "select * from keys order by id")).toHaveLength(2);
    expect(await run(scratch.url, "select * from belay_lost.cars")).toEqual([{ id: 1, colour: "red", weight: null }]);
    expect(await run(scratch.url, 'select * from belay_lost."fleet.cars"')).toEqual([{ id: 1, colour: "blue" }]);
    await scratch.drop();

    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("side tables of tables whose long names begin alike are told apart", async () => {
    const long = "a".repeat(62);
    const names = [`${long}b`, `${long}c`];
    const database = await createDebianDatabase();
    const schema = "long_schema_name";
    await apply(
      database.url,
      {
        ...base,
        up: `create schema ${schema}; ${names.map((name) => `create table ${schema}.${name} (id int primary key);`).join("")}`,
      },
      {
        name: pair.name,
        up: names
          .map(
            (name, n) =>
              `alter table ${schema}.${name} add column lost int; insert into ${schema}.${name} values (${n}, ${n});`,
          )
          .join(""),
        down: names.map((name) => `alter table ${schema}.${name} drop column lost;`).join(""),
      },
    );
    const before = await photograph(database.url);
    const place = temporaryFolder();
    const belay = testBelay({ database: database.url, store: createFolderStore(place) });
    const report = await executeRollback(belay, { migration: pair.name, reason: "test" });
    const manifest = await readManifest(belay.store, report.archiveId!);
    const side = manifest.tables.filter(({ role }) => role === "columns").map(({ table }) => table);
    expect(new Set(side).size).toBe(2);
    for (const table of side) expect(Buffer.byteLength(table)).toBeLessThanOrEqual(63);
    const scratch = await createDebianDatabase();
    await pgRestore(scratch.url, `${place}/archives/${report.archiveId}`, "--no-owner");
    await scratch.drop();
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});
