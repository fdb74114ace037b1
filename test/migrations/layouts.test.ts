import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { readFiles as read } from "./folders.ts";

const section = (sql: string) => `\n-- ROLLBACK START\n${sql}\n-- ROLLBACK END\n`;

describe("a section", () => {
  it("gives its SQL without one comment level, and the line where it begins", async () => {
    const { layout, migrations, problems } = await read({
      "1_a.sql": `create table a ();${section("-- -- the reason\n-- DROP TABLE a;\n--\n--DROP TYPE b;")}`,
    });
    expect({ layout, problems }).toEqual({ layout: "section", problems: [] });
    expect(migrations[0]).toMatchObject({
      name: "1_a",
      version: "1",
      forwardSql: "create table a ();",
      layout: "section",
    });
    expect(migrations[0]!.rollback).toMatchObject({
      sql: "-- the reason\nDROP TABLE a;\n\nDROP TYPE b;",
      line: 3,
      reverses: ["1_a"],
      selfReversing: false,
    });
  });

  it("that is not commented is read, and reported as self_reversing at its line", async () => {
    const { migrations, problems } = await read({
      "1_a.sql": `create table a ();\n${section("-- note\nDROP TABLE a;")}`,
    });
    expect(migrations[0]!.rollback).toMatchObject({ sql: "-- note\nDROP TABLE a;", selfReversing: true });
    expect(problems).toMatchObject([{ code: "self_reversing", severity: "error", place: { line: 4 } }]);
    expect(migrations[0]!.forwardSql).toBe("create table a ();");
  });

  it("that is empty or only comments counts as missing", async () => {
    for (const sql of ["", "--", "-- -- TODO", "-- /* later */ ;"]) {
      const { migrations, problems } = await read({ "1_a.sql": `create table a ();${section(sql)}` });
      expect(migrations[0]!.rollback).toBeNull();
      expect(problems).toMatchObject([{ code: "empty_rollback", severity: "warning" }]);
    }
  });

  it("that does not end, or ends without a beginning, is an error with its line", async () => {
    const open = await read({ "1_a.sql": "select 1;\n-- ROLLBACK START\n-- drop table a;" });
    expect(open.problems).toMatchObject([{ code: "unterminated_section", severity: "error", place: { line: 2 } }]);
    const closed = await read({ "1_a.sql": "select 1;\n\n-- ROLLBACK END\n" });
    expect(closed.problems).toMatchObject([{ code: "unterminated_section", place: { line: 3 } }]);
  });

  it("is read the same with CRLF and a byte order mark", async () => {
    const text = `\uFEFFcreate table a ();${section("-- drop table a;\n-- drop type b;")}`;
    const unix = (await read({ "1_a.sql": text })).migrations[0]!;
    const windows = (await read({ "1_a.sql": text.replace(/\n/g, "\r\n") })).migrations[0]!;
    expect(windows.rollback!.sql).toBe(unix.rollback!.sql);
    expect(windows.checksum).toBe(unix.checksum);
  });

  it("keeps verification SQL apart", async () => {
    const { migrations } = await read({ "1_a.sql": "select 1;\n-- VERIFY START\n-- select 2;\n-- VERIFY END\n" });
    expect(migrations[0]).toMatchObject({ verifySql: "select 2;", forwardSql: "select 1;", rollback: null });
  });

  it("changes the file's checksum but not the forward part's when added or mended", async () => {
    const texts = [
      "create table a ();\n",
      `create table a ();\n${section("-- drop table a;")}`,
      `create table a ();\n\n${section("-- drop table if exists a;")}`,
    ];
    const read1 = await Promise.all(texts.map(async (text) => (await read({ "1_a.sql": text })).migrations[0]!));
    expect(new Set(read1.map((migration) => migration.checksum)).size).toBe(1);
    expect(new Set(read1.map((migration) => migration.fileChecksum)).size).toBe(3);
    const other = (await read({ "1_a.sql": "create table b ();\n" })).migrations[0]!;
    expect(other.checksum).not.toBe(read1[0]!.checksum);
  });

  it("marker within a string, dollar quote or comment is text", () => {
    const hides = fc.constantFrom(
      (marker: string) => `select '\n${marker}\n';`,
      (marker: string) => `do $$\n${marker}\n$$;`,
      (marker: string) => `create function f() returns int as $f$\n${marker}\n$$ x $$ $f$ language sql;`,
      (marker: string) => `/* a /* b */\n${marker}\n*/`,
      (marker: string) => `select "\n${marker}\n";`,
      (marker: string) => `select e'\\'\n${marker}\n';`,
    );
    const forward = fc.array(fc.tuple(hides, fc.constantFrom("-- ROLLBACK START", "-- ROLLBACK END")), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        forward,
        fc.array(fc.constantFrom("drop table a;", "do $$ begin end $$;", "-- why", "select 'x", "';"), {
          minLength: 1,
          maxLength: 5,
        }),
        (parts, rollback) => {
          const before = parts.map(([hide, marker]) => hide(marker)).join("\n");
          const text = `${before}\n-- ROLLBACK START\n${rollback.map((line) => `-- ${line}`).join("\n")}\n-- ROLLBACK END\n`;
          const split = splitSections({ path: "x.sql", name: "x.sql", text });
          expect(split.problems).toEqual([]);
          expect(split.rollback!.sql).toBe(rollback.join("\n"));
          expect(split.forwardSql).toBe(before.trimEnd());
        },
      ),
    );
  });
});

describe("a rollbacks folder", () => {
  it("reverses the migrations that its headers name, several at once too", async () => {
    const { layout, migrations, problems } = await read({
      "20250101000000_a.sql": "create table a ();",
      "20250102000000_b.sql": "create table b ();",
      "20250103000000_c.sql": "create table c ();",
      "rollbacks/20250109000000_rollback_ab.sql":
        "-- Rolls back:\n--   20250101000000_a.sql\n--   20250102000000_b.sql\n\ndrop table b; drop table a;",
      "rollbacks/20250103000000_c.sql": "drop table c;",
    });
    expect({ layout, problems }).toEqual({ layout: "rollbacks-folder", problems: [] });
    expect(migrations.map((migration) => migration.rollback?.reverses)).toEqual([
      ["20250101000000_a", "20250102000000_b"],
      ["20250101000000_a", "20250102000000_b"],
      ["20250103000000_c"],
    ]);
  });

  it("stands beside sections, and a section of its own goes first", async () => {
    const { layout, migrations } = await read({
      "20250101000000_a.sql": `create table a ();${section("-- drop table a;")}`,
      "20250102000000_b.sql": "create table b ();",
      "rollbacks/all.sql": "-- Reverses 20250101000000_a.sql and 20250102000000_b.sql\ndrop table b; drop table a;",
    });
    expect(layout).toBe("section");
    expect(migrations.map((migration) => [migration.layout, migration.rollback!.reverses.length])).toEqual([
      ["section", 1],
      ["rollbacks-folder", 2],
    ]);
  });

  it("whose header names an unknown migration, or none, is reported with file and line", async () => {
    const { problems } = await read({
      "20250101000000_a.sql": "select 1;",
      "rollbacks/x.sql": "-- undoes\n-- 20240101000000_gone.sql\ndrop table a;",
      "rollbacks/y.sql": "drop table a;",
    });
    expect(problems.filter((problem) => problem.place.file.endsWith("x.sql"))).toMatchObject(
      [
        { code: "orphan_rollback", place: { line: 1 } },
        { code: "unknown_dependency", severity: "error", place: { line: 2 } },
      ].sort((a, b) => a.place.line - b.place.line),
    );
    expect(problems.some((problem) => problem.place.file.endsWith("y.sql") && problem.code === "orphan_rollback")).toBe(
      true,
    );
  });
});

describe("up/down pairs", () => {
  it("are read in numeric order, and a comment-only down counts as missing", async () => {
    const { layout, migrations, problems } = await read({
      "10_c.up.sql": "select 3;",
      "10_c.down.sql": "-- nothing to do",
      "9_b.up.sql": "select 2;",
      "9_b.down.sql": "drop table b;",
      "2_a.up.sql": "select 1;",
      "3_x.down.sql": "drop table x;",
    });
    expect(layout).toBe("up-down-pair");
    expect(migrations.map((migration) => [migration.name, migration.rollback?.sql ?? null])).toEqual([
      ["2_a", null],
      ["9_b", "drop table b;"],
      ["10_c", null],
    ]);
    expect(problems.map((problem) => problem.code).sort()).toEqual(["empty_rollback", "orphan_rollback"]);
  });
});

describe("dependencies", () => {
  it("are read in the forms that people write", async () => {
    const forms = [
      "-- Depends on: 1_a.sql, 2_b.sql",
      "-- depends-on: 1_a, 2_b",
      "-- Dependencies:\n--   - 1_a.sql (tags)\n--   - 2_b.sql",
      "/*\n * Depends on: 1_a.sql and 2_b\n */",
      "-- @depends-on 1_a.sql, 2_b.sql",
      "-- Requires: `1_a.sql`; 2",
    ];
    for (const form of forms) {
      const { migrations, problems } = await read({
        "1_a.sql": "select 1;",
        "2_b.sql": "select 1;",
        "3_c.sql": `${form}\nselect 1;`,
      });
      expect(problems, form).toEqual([]);
      expect(
        migrations[2]!.dependsOn.map((dependency) => dependency.name),
        form,
      ).toEqual(["1_a", "2_b"]);
    }
  });

  it("are not read from prose, strings or sections", async () => {
    const text = `-- depends on the users table\n-- Depends on: none\nselect '\n-- Depends on: 9_x.sql';${section("-- -- Depends on: 8_y.sql\n-- select 1;")}`;
    const { migrations, problems } = await read({ "1_a.sql": text });
    expect(migrations[0]!.dependsOn).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("in a circle, on the unknown, and versions that occur twice are errors with file and line", async () => {
    const { problems } = await read({
      "1_a.sql": "-- x\n-- Depends on: 2_b.sql\nselect 1;",
      "2_b.sql": "-- Depends on: 1_a.sql\nselect 1;",
      "3_c.sql": "-- Depends on: 7_gone.sql\nselect 1;",
      "3_d.sql": "select 1;",
    });
    expect(
      problems.map((problem) => [
        problem.code,
        problem.place.file.split("/").at(-1),
        problem.place.line,
        problem.severity,
      ]),
    ).toEqual([
      ["cycle", "2_b.sql", 1, "error"],
      ["unknown_dependency", "3_c.sql", 1, "error"],
      ["duplicate_version", "3_d.sql", 1, "error"],
    ]);
  });
});

describe("a folder", () => {
  it("that is not there is refused by name", async () => {
    await expect(readMigrationFolder("/nowhere/at/all")).rejects.toMatchObject({ code: "layout_invalid" });
  });

  it("names files that are no UTF-8 text, and files without a version", async () => {
    const { problems } = await read({
      "1_a.sql": new Uint8Array([0xff, 0xfe, 0x41, 0x00]),
      "seed.sql": "select 1;",
      "README.md": "x",
    });
    expect(problems.map((problem) => [problem.code, problem.severity])).toEqual([
      ["unreadable", "error"],
      ["left_out", "warning"],
    ]);
  });

  it("never shows Belay's own migration", async () => {
    expect((await readMigrationFolder(join(import.meta.dirname, "../../supabase/migrations"))).migrations).toEqual([]);
  });
});
