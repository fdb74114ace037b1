import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commentOut } from "../../shared/migrations/fix/comment-out.ts";
import { fixFolder } from "../../shared/migrations/fix/fix.ts";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { temporaryFolder } from "../support/belay.ts";
import { folderOf } from "./folders.ts";

const live = "create table a ();\n\n-- ROLLBACK START\n-- why\nDROP TABLE a;\n\n  drop type b;\n-- ROLLBACK END\n";

describe("belay fix", () => {
  it("shows what it would comment out, and writes only when told to; a second run finds nothing", async () => {
    const directory = folderOf({
      "1_a.sql": live,
      "2_b.sql": "select 1;\n-- ROLLBACK START\n-- select 2;\n-- ROLLBACK END\n",
    });
    const before = await readMigrationFolder(directory);
    const shown = await fixFolder(directory);
    expect(shown).toMatchObject({
      fixes: [
        {
          file: join(directory, "1_a.sql"),
          applied: false,
          changes: [{ line: 4 }, { line: 5 }, { line: 6, before: "", after: "--" }, { line: 7 }],
        },
      ],
      refused: [],
    });
    expect(readFileSync(join(directory, "1_a.sql"), "utf8")).toBe(live);

    expect((await fixFolder(directory, { apply: true })).fixes).toMatchObject([{ applied: true }]);
    const after = await readMigrationFolder(directory);
    expect(after.problems).toEqual([]);
    expect(after.migrations.map((one) => [one.checksum, one.rollback!.sql, one.rollback!.line])).toEqual(
      before.migrations.map((one) => [one.checksum, one.rollback!.sql, one.rollback!.line]),
    );
    expect(await fixFolder(directory, { apply: true })).toMatchObject({ fixes: [] });
    expect(readdirSync(directory)).toEqual(["1_a.sql", "2_b.sql"]);
  });

  it("keeps line endings, a byte order mark, the file's mode, and a link", async () => {
    const text = `\uFEFF${live.replaceAll("\n", "\r\n")}`;
    const elsewhere = folderOf({ "real.sql": text });
    const directory = temporaryFolder();
    symlinkSync(join(elsewhere, "real.sql"), join(directory, "1_a.sql"));
    chmodSync(join(elsewhere, "real.sql"), 0o640);
    await fixFolder(directory, { apply: true });
    const mended = readFileSync(join(directory, "1_a.sql"), "utf8");
    expect(mended).toBe(
      text.replace("-- why", "-- -- why").replace("DROP", "-- DROP").replace(";\r\n\r\n  drop", ";\r\n--\r\n--   drop"),
    );
    expect(lstatSync(join(directory, "1_a.sql")).isSymbolicLink()).toBe(true);
    expect(statSync(join(elsewhere, "real.sql")).mode & 0o777).toBe(0o640);
  });

  it("keeps what any section reads as, and all outside of it", () => {
    const line = fc.constantFrom(
      "drop table a;",
      "-- why",
      "",
      "select '",
      "';",
      "$$",
      "/* x",
      "*/",
      "  -- ROLLBACK",
      "-- -- x",
      "select 1",
    );
    const ending = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(line, { maxLength: 6 }), ending, (before, inner, end) => {
        const text = [...before, "-- ROLLBACK START", ...inner, "-- ROLLBACK END", "select 3;"].join(end);
        const file = { path: "x.sql", name: "x.sql", text };
        const commented = commentOut(file);
        if (commented === null) return;
        const [was, is] = [splitSections(file), splitSections({ ...file, text: commented.text })];
        expect(is.rollback).toEqual({ ...was.rollback, live: false });
        expect(is.forwardSql).toBe(was.forwardSql);
        expect(commentOut({ ...file, text: commented.text })).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it("moves rollback files out of the way of supabase db push only with --move, and never over another file", async () => {
    const directory = join(temporaryFolder(), "supabase/migrations");
    mkdirSync(directory, { recursive: true });
    folderOf(
      {
        "20250101000000_a.up.sql": "create table a ();",
        "20250101000000_a.down.sql": "drop table a;",
        "20250102000000_b.sql": "create table b ();",
        "20250102000000_b.down.sql": "drop table b;",
        "20250103000000_c.sql": "create table c ();",
        "20250103000000_c.down.sql": "drop table c;",
        "rollbacks/20250103000000_c.sql": "drop table c; -- the other",
        "20250104000000_d.up.sql": "create table d ();",
        "20250104000000_d.down.sql": "drop table d;",
        "rollbacks/20250104000000_d.sql": "drop table d;",
      },
      directory,
    );
    await fixFolder(directory, { apply: true });
    expect(existsSync(join(directory, "20250102000000_b.down.sql"))).toBe(true);
    const { moves } = await fixFolder(directory, { apply: true, move: true });
    expect(moves.map((one) => [one.from.split("/").at(-1), one.applied])).toEqual([
      ["20250101000000_a.down.sql", true],
      ["20250101000000_a.up.sql", true],
      ["20250102000000_b.down.sql", true],
      ["20250103000000_c.down.sql", false],
      ["20250104000000_d.down.sql", false],
    ]);
    expect(existsSync(join(directory, "20250104000000_d.up.sql"))).toBe(true);
    const folder = await readMigrationFolder(directory);
    expect(folder.migrations.map((one) => [one.name, one.layout])).toEqual([
      ["20250101000000_a", "mirror-folder"],
      ["20250102000000_b", "mirror-folder"],
      ["20250103000000_c", "mirror-folder"],
    ]);
    expect(new Set(folder.problems.map((one) => one.code))).toEqual(
      new Set(["duplicate_rollback", "trap", "mixed_layout", "orphan_rollback"]),
    );
    expect(readFileSync(join(directory, "rollbacks/20250103000000_c.sql"), "utf8")).toContain("the other");
  });
});
