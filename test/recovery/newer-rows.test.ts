import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportNewerRows } from "../../recovery/newer-rows/export.ts";
import { type KeyedRow, mergeRows, type RowChange } from "../../recovery/newer-rows/merge.ts";
import { gunzip } from "../../shared/archive/compression/gzip.ts";
import { collect } from "../../shared/archive/digesting.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";

describe("two sorted streams of rows", () => {
  it("give every row that is new, changed or deleted, as often as it stands", async () => {
    const rows = fc.array(fc.record({ key: fc.constantFrom("a", "b", "c", "d"), hash: fc.constantFrom("1", "2") }));
    await fc.assert(
      fc.asyncProperty(rows, rows, async (today, backup) => {
        const changes = await all(mergeRows(stream(today), stream(backup)));
        const number = (fate: string) => changes.filter((change) => change.fate === fate).length;
        expect(today.length - number("new")).toBe(backup.length - number("deleted"));
        for (const key of ["a", "b", "c", "d"]) {
          const [now, then] = [today, backup].map((side) => side.filter((row) => row.key === key).length);
          const of = (fate: string) => changes.filter((change) => change.key === key && change.fate === fate).length;
          expect(of("new")).toBe(Math.max(0, now! - then!));
          expect(of("deleted")).toBe(Math.max(0, then! - now!));
        }
      }),
    );
  });
});

describe("rows that a backup lacks", () => {
  let today: TestDatabase;
  let backup: TestDatabase;
  let folder: string;
  const open: Session[] = [];
  const schema = `
    create table people (id int primary key, name text, born date);
    create table pairs (a int, "B b" text, primary key (a, "B b"));
    create table marks (at timestamptz, note text);
    create table narrow (id int primary key);
    create table same (id int primary key);
    insert into people select n, 'name ' || n, date '2000-01-01' + n from generate_series(1, 1000) n;
    insert into pairs values (1, 'x'), (2, 'y,"z"');
    insert into marks values ('2026-01-01 00:00Z', 'once'), ('2026-01-01 00:00Z', 'twice'), ('2026-01-01 00:00Z', 'twice');
    insert into narrow values (1);
    insert into same values (1)`;

  beforeAll(async () => {
    [today, backup] = [await createDatabase(), await createDatabase()];
    await runSql(today.url, schema);
    await runSql(backup.url, schema);
    await runSql(
      today.url,
      `insert into people values (2000, E'new,\\n"line"', null), (2001, null, '2020-02-02');
       update people set name = 'changed' where id in (5, 6, 7);
       delete from people where id = 10;
       insert into pairs values (1, 'y');
       insert into marks values ('2026-01-01 00:00Z', 'twice');
       alter table narrow add extra text default 'here';
       insert into narrow values (2);
       create table later (id int, t text);
       insert into later values (1, 'a'), (2, 'b')`,
    );
    folder = await mkdtemp(join(tmpdir(), "belay-newer-"));
    for (const url of [today.url, today.url, backup.url]) open.push(await openSession(url));
  });
  afterAll(async () => {
    await Promise.all(open.map((session) => session.close()));
    await Promise.all([today.drop(), backup.drop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const exported = (table: string) =>
    exportNewerRows({ today: open[0]!, writer: open[1]!, backup: open[2]! }, createFolderStore(folder), "test", {
      schema: "public",
      table,
    });
  const content = async (key: string) => {
    const bytes = await collect(gunzip(createFolderStore(folder).read(key), key), 1_000_000);
    return new TextDecoder().decode(bytes);
  };

  it("are told apart by the primary key: new, changed, deleted, each new and changed one in its file", async () => {
    const found = await exported("people");
    expect(found).toMatchObject({ new: 2, changed: 3, deleted: 1, byKey: true, absent: false });
    expect(await content(found.files.new!.key)).toBe('born,id,name\n,2000,"new,\n""line"""\n2020-02-02,2001,\n');
    expect(
      (await content(found.files.changed!.key)).split("\n").filter((line) => line.endsWith("changed")),
    ).toHaveLength(3);
    expect(found.files.new!.rows).toBe(2);
  });

  it("with a key of several columns", async () => {
    const found = await exported("pairs");
    expect(found).toMatchObject({ new: 1, changed: 0, deleted: 0 });
    expect(await content(found.files.new!.key)).toBe("B b,a\ny,1\n");
  });

  it("without a primary key by the whole row: one more of the same counts as new", async () => {
    expect(await exported("marks")).toMatchObject({ new: 1, changed: 0, deleted: 0, byKey: false });
  });

  it("with columns that the backup does not have, which are named", async () => {
    const found = await exported("narrow");
    expect(found).toMatchObject({ new: 1, changed: 0, newColumns: ["extra"] });
    expect(await content(found.files.new!.key)).toBe("extra,id\nhere,2\n");
  });

  it("of a table that the backup does not have", async () => {
    expect(await exported("later")).toMatchObject({ new: 2, absent: true });
  });

  it("are none where nothing changed, and then there is no file", async () => {
    const found = await exported("same");
    expect(found).toMatchObject({ new: 0, changed: 0, deleted: 0, files: { new: null, changed: null } });
  });
});

async function* stream(rows: readonly KeyedRow[]): AsyncGenerator<KeyedRow> {
  yield* [...rows].sort((a, b) => (a.key + a.hash < b.key + b.hash ? -1 : 1));
}

async function all(changes: AsyncIterable<RowChange>): Promise<RowChange[]> {
  const found: RowChange[] = [];
  for await (const change of changes) found.push(change);
  return found;
}
