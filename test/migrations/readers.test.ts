import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { layoutNames } from "../../shared/config.ts";
import type { LayoutName } from "../../shared/migrations/types.ts";
import { type Files, problemsOf, readFiles } from "./folders.ts";

/** Two migrations in each layout: the first with rollback SQL, the second with a place for it that is empty (or none). */
const fixtures: Record<
  LayoutName,
  { files: Files; names: [string, string]; versions: [string, string]; second: "empty" | "none" }
> = {
  section: {
    files: {
      "1_a.sql": "create table a ();\n-- ROLLBACK START\n-- drop table a;\n-- ROLLBACK END\n",
      "2_b.sql": "create table b ();\n-- ROLLBACK START\n-- -- nothing\n-- ROLLBACK END\n",
    },
    names: ["1_a", "2_b"],
    versions: ["1", "2"],
    second: "empty",
  },
  "rollbacks-folder": {
    files: {
      "20250101000000_a.sql": "create table a ();",
      "20250102000000_b.sql": "create table b ();",
      "rollbacks/20250201000000_rollback_a.sql": "-- Undoes 20250101000000_a.sql\ndrop table a;",
    },
    names: ["20250101000000_a", "20250102000000_b"],
    versions: ["20250101000000", "20250102000000"],
    second: "none",
  },
  prefix: {
    files: {
      "20250914000000_a.sql": "create table a ();",
      "rollback_20250914000000_a.sql": "drop table a;",
      "20250915000000_b.sql": "create table b ();",
      "rollback_20250915000000_b.sql": "-- TODO",
    },
    names: ["20250914000000_a", "20250915000000_b"],
    versions: ["20250914000000", "20250915000000"],
    second: "empty",
  },
  "mirror-folder": {
    files: {
      "011_a.sql": "create table a ();",
      "012_b.sql": "create table b ();",
      "rollback/011_a.sql": "-- Rollback for 011_a.sql; run after 012_b.sql is gone\ndrop table a;",
    },
    names: ["011_a", "012_b"],
    versions: ["011", "012"],
    second: "none",
  },
  "up-down-pair": {
    files: {
      "0001_a.up.sql": "create table a ();",
      "0001_a.down.sql": "drop table a;",
      "0002_b.up.sql": "create table b ();",
      "0002_b.down.sql": "",
    },
    names: ["0001_a", "0002_b"],
    versions: ["0001", "0002"],
    second: "empty",
  },
  dbmate: {
    files: {
      "20250101_a.sql": "-- migrate:up\ncreate table a ();\n\n-- migrate:down\ndrop table a;\n",
      "20250102_b.sql": "-- migrate:up\ncreate table b ();\n\n-- migrate:down\n",
    },
    names: ["20250101_a", "20250102_b"],
    versions: ["20250101", "20250102"],
    second: "empty",
  },
  goose: {
    files: {
      "00001_a.sql": "-- +goose Up\ncreate table a ();\n\n-- +goose Down\ndrop table a;\n",
      "00002_b.sql": "-- +goose Up\ncreate table b ();\n",
    },
    names: ["00001_a", "00002_b"],
    versions: ["00001", "00002"],
    second: "none",
  },
  flyway: {
    files: {
      "V1__a.sql": "create table a ();",
      "U1__a.sql": "drop table a;",
      "V1_1__b.sql": "create table b ();",
    },
    names: ["V1__a", "V1_1__b"],
    versions: ["1", "1.1"],
    second: "none",
  },
  "folder-pair": {
    files: {
      "2024-01-02-000000_a/up.sql": "create table a ();",
      "2024-01-02-000000_a/down.sql": "drop table a;",
      "2024-01-03-000000_b/up.sql": "create table b ();",
      "2024-01-03-000000_b/down.sql": "-- This file should undo anything in `up.sql`",
    },
    names: ["2024-01-02-000000_a", "2024-01-03-000000_b"],
    versions: ["2024-01-02-000000", "2024-01-03-000000"],
    second: "empty",
  },
  "sql-migrate": {
    files: {
      "1_a.sql": "-- +migrate Up\ncreate table a ();\n\n-- +migrate Down\ndrop table a;\n",
      "2_b.sql": "-- +migrate Up\ncreate table b ();\n-- +migrate Down\n",
    },
    names: ["1_a", "2_b"],
    versions: ["1", "2"],
    second: "empty",
  },
};

describe.each(layoutNames)("layout %s", (layout) => {
  const { files, names, versions, second } = fixtures[layout];

  it("is found by its files, or named, and gives forward and rollback SQL with their lines", async () => {
    for (const given of [undefined, layout]) {
      const folder = await readFiles(files, given);
      expect(folder.layout).toBe(layout);
      expect(folder.detection).toMatchObject({
        chosen: given === undefined ? "found" : "given",
        votes: { [layout]: 2 },
      });
      expect(folder.migrations.map((one) => [one.name, one.version, one.layout])).toEqual([
        [names[0], versions[0], layout],
        [names[1], versions[1], layout],
      ]);
      const [a, b] = folder.migrations as [(typeof folder.migrations)[0], (typeof folder.migrations)[0]];
      expect(a.forwardSql).toContain("create table a ();");
      expect(a.forwardSql).not.toContain("drop table a");
      expect(a.rollback!.sql).toContain("drop table a;");
      expect(a.rollback!.sql).not.toContain("create table a");
      expect(a.rollback).toMatchObject({ reverses: [names[0]], selfReversing: false });
      const text = readFileSync(a.rollback!.file, "utf8");
      const [first] = a.rollback!.sql.split("\n");
      expect(text.split("\n")[a.rollback!.line - 1]!.replace(/^-- (?=drop)/, "")).toBe(first);
      expect(a.emptyRollback).toBeNull();
      expect(b.rollback).toBeNull();
      expect(b.emptyRollback === null ? "none" : "empty").toBe(second);
      expect(problemsOf(folder).map((problem) => problem.split(" ")[0])).toEqual(
        second === "empty" ? ["empty_rollback"] : [],
      );
      expect(b.transactional).toEqual({ up: true, down: true });
    }
  });

  it("declares dependencies in comments", async () => {
    const [file, text] = Object.entries(files).find(([, text]) => String(text).includes("create table b"))!;
    const declared = `${text}`
      .replace("create table b", "-- Depends on: NAME\ncreate table b")
      .replace("NAME", `${names[0]}.sql`);
    const { migrations, problems } = await readFiles({ ...files, [file]: declared });
    expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
    expect(migrations[1]!.dependsOn.map((one) => one.name)).toEqual([names[0]]);
  });

  it("has the forward checksum that its forward part alone decides", async () => {
    const [before] = (await readFiles(files)).migrations;
    const mended = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name,
        String(text).replace("drop table a", "drop table if exists a"),
      ]),
    );
    const [after] = (await readFiles(mended)).migrations;
    expect(after!.checksum).toBe(before!.checksum);
    expect(after!.fileChecksum).not.toBe(before!.fileChecksum);
  });

  it("reads the same with CRLF line endings and byte order marks", async () => {
    const windows = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, `\uFEFF${String(text).replaceAll("\n", "\r\n")}`]),
    );
    const [unix, other] = [await readFiles(files), await readFiles(windows)];
    expect(other.layout).toBe(layout);
    expect(other.migrations.map((one) => one.checksum)).toEqual(unix.migrations.map((one) => one.checksum));
    const plain = (sql: string | undefined) => sql?.replace(/\r\n/g, "\n").replace(/^\uFEFF/, "");
    expect(other.migrations.map((one) => plain(one.rollback?.sql))).toEqual(
      unix.migrations.map((one) => plain(one.rollback?.sql)),
    );
    expect(problemsOf(other)).toEqual(problemsOf(unix));
  });
});
