import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { temporaryFolder } from "../support/belay.ts";
import { type Files, folderOf, problemsOf, readFiles } from "./folders.ts";

const readSupabase = (files: Files) => {
  const root = temporaryFolder();
  mkdirSync(join(root, "supabase/migrations"), { recursive: true });
  return readMigrationFolder(folderOf(files, join(root, "supabase/migrations")));
};

describe("a folder of several layouts", () => {
  it("is read in that of most migrations, and every file of another is an error that says what to do", async () => {
    const folder = await readFiles({
      "1_a.sql": "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;",
      "2_b.sql": "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;",
      "3_c.sql": "create table c ();",
      "4_d.up.sql": "create table d ();",
      "5_e.sql": "-- +goose Up\nselect 1;",
      "V6__f.sql": "select 1;",
      "7_g/up.sql": "select 1;",
      "notes/x.sql": "select 1;",
      "seed.sql": "select 1;",
    });
    expect(folder.layout).toBe("dbmate");
    expect(folder.detection).toMatchObject({
      reason: expect.stringContaining("dbmate: 2 migrations"),
      votes: { dbmate: 2, goose: 1 },
    });
    expect(problemsOf(folder)).toEqual([
      "mixed_layout 3_c.sql:1",
      "mixed_layout 4_d.up.sql:1",
      "mixed_layout 5_e.sql:1",
      "mixed_layout up.sql:1",
      "mixed_layout V6__f.sql:1",
      "left_out x.sql:1",
      "left_out seed.sql:1",
    ]);
    expect(folder.problems.map((one) => one.severity)).toEqual([
      "error",
      "error",
      "error",
      "error",
      "error",
      "warning",
      "warning",
    ]);
    expect(folder.problems[2]!.message).toMatch(/layout goose.*--layout goose/);
  });

  it("that fits two equally well is an error that asks for --layout, which settles it", async () => {
    const files = { "1_a.up.sql": "select 1;", "2_b.sql": "create table b ();" };
    expect(problemsOf(await readFiles(files))[0]).toMatch(/^ambiguous_layout/);
    const named = await readFiles(files, "section");
    expect(problemsOf(named)).toEqual(["mixed_layout 1_a.up.sql:1"]);
    expect(named.migrations.map((one) => one.name)).toEqual(["2_b"]);
  });

  it("of plain files keeps each migration's rollback where it is", async () => {
    const folder = await readFiles({
      "1_a.sql": "select 1;\n-- ROLLBACK START\n-- select 2;\n-- ROLLBACK END\n",
      "2_b.sql": "select 1;",
      "rollback_2_b.sql": "select 2;",
      "3_c.sql": "select 1;",
      "rollback/3_c.sql": "select 2;",
      "4_d.sql": "select 1;",
      "rollbacks/20250101_undo.sql": "-- Reverses: 4_d.sql, 5_e.sql\nselect 2;",
      "5_e.sql": "select 1;",
      "6_f.sql": "select 1;",
      "6_f.down.sql": "select 2;",
    });
    expect(folder.migrations.map((one) => [one.name, one.layout, one.rollback!.reverses.length])).toEqual([
      ["1_a", "section", 1],
      ["2_b", "prefix", 1],
      ["3_c", "mirror-folder", 1],
      ["4_d", "rollbacks-folder", 2],
      ["5_e", "rollbacks-folder", 2],
      ["6_f", "up-down-pair", 1],
    ]);
    expect(folder.problems).toEqual([]);
  });
});

describe("rollback SQL", () => {
  it("whose migration is not there is reported, in every layout that keeps it apart", async () => {
    const cases: Files[] = [
      { "1_a.sql": "select 1;", "rollback_2_b.sql": "select 2;" },
      { "1_a.sql": "select 1;", "rollback/2_b.sql": "select 2;" },
      { "1_a.up.sql": "select 1;", "2_b.down.sql": "select 2;" },
      { "V1__a.sql": "select 1;", "U2__b.sql": "select 2;" },
      { "1_a/up.sql": "select 1;", "2_b/down.sql": "select 2;" },
    ];
    for (const files of cases) {
      const folder = await readFiles(files);
      expect(folder.problems, JSON.stringify(files)).toMatchObject([{ code: "orphan_rollback", severity: "warning" }]);
      expect(folder.migrations).toHaveLength(1);
    }
  });

  it("that stands twice is reported, and which one counts", async () => {
    const folder = await readFiles({
      "1_a.sql": "select 1;\n-- ROLLBACK START\n-- select 2;\n-- ROLLBACK END\n",
      "rollback_1_a.sql": "select 3;",
      "2_b.sql": "select 1;",
      "rollback_2_b.sql": "select 2;",
      "rollback/2_b.sql": "select 3;",
    });
    expect(problemsOf(folder)).toEqual([
      "duplicate_rollback rollback_1_a.sql:1",
      "duplicate_rollback rollback_2_b.sql:1",
    ]);
    expect(folder.migrations.map((one) => one.rollback!.sql)).toEqual(["select 2;", "select 3;"]);
  });

  it("of several migrations may stand in a mirror folder or beside them too", async () => {
    const folder = await readFiles({
      "1_a.sql": "select 1;",
      "2_b.sql": "select 1;",
      "rollback/2_b.sql": "-- Reverses 1_a.sql and 2_b.sql\nselect 2;",
    });
    expect(folder.migrations.map((one) => one.rollback!.reverses)).toEqual([
      ["1_a", "2_b"],
      ["1_a", "2_b"],
    ]);
  });
});

describe("markers", () => {
  const cases: Record<string, { text: string; problems: string[]; read?: number }> = {
    "goose: Down without Up": { text: "-- +goose Down\nselect 1;", problems: ["bad_marker 1_a.sql:1"], read: 0 },
    "goose: Up after Down": {
      text: "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n-- +goose Up\nselect 3;",
      problems: ["bad_marker 1_a.sql:5"],
    },
    "goose: two Downs": {
      text: "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n-- +goose Down\nselect 3;",
      problems: ["bad_marker 1_a.sql:5"],
    },
    "goose: StatementBegin left open": {
      text: "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose Down",
      problems: ["bad_marker 1_a.sql:2", "empty_rollback 1_a.sql:5"],
    },
    "goose: unknown": { text: "-- +goose Up\n-- +goose UP NOW\nselect 1;", problems: ["bad_marker 1_a.sql:2"] },
    "goose: variables": {
      text: "-- +goose Up\n-- +goose ENVSUB ON\nselect 1;",
      problems: ["not_supported 1_a.sql:2"],
    },
    "goose: within a string": {
      text: "-- +goose Up\nselect '\n-- +goose Down\n';",
      problems: ["bad_marker 1_a.sql:3"],
    },
    "dbmate: down before up": {
      text: "-- migrate:down\nselect 1;\n-- migrate:up\nselect 2;",
      problems: ["bad_marker 1_a.sql:1"],
    },
    "dbmate: two downs": {
      text: "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n-- migrate:down\nselect 3;",
      problems: ["bad_marker 1_a.sql:5"],
    },
    "dbmate: SQL before up": {
      text: "select 0;\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;",
      problems: ["bad_marker 1_a.sql:1"],
    },
    "sql-migrate: Down without Up": {
      text: "-- +migrate Down\nselect 1;",
      problems: ["bad_marker 1_a.sql:1"],
      read: 0,
    },
    "sql-migrate: two Downs": {
      text: "-- +migrate Up\nselect 1;\n-- +migrate Down\nselect 2;\n-- +migrate Down\nselect 3;",
      problems: ["bad_marker 1_a.sql:5"],
    },
    "sql-migrate: a marker that it does not see": {
      text: "-- +migrate Up\nselect 1;\n--+migrate Down\nselect 2;",
      problems: ["bad_marker 1_a.sql:3"],
    },
  };
  it.each(Object.entries(cases))("%s", async (name, { text, problems, read = 1 }) => {
    const folder = await readFiles({ "1_a.sql": text });
    expect(folder.layout).toBe(name.split(":")[0]);
    expect(problemsOf(folder)).toEqual(problems);
    expect(folder.migrations).toHaveLength(read);
  });
});

describe("what runs outside a transaction", () => {
  it("is told where the file, or the settings beside it, say so", async () => {
    const cases: [Files, { up: boolean; down: boolean }][] = [
      [
        { "1_a.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;" },
        { up: false, down: false },
      ],
      [
        { "1_a.sql": "-- migrate:up transaction:false\nselect 1;\n-- migrate:down\nselect 2;" },
        { up: false, down: true },
      ],
      [
        { "1_a.sql": "-- +migrate Up\nselect 1;\n-- +migrate Down notransaction\nselect 2;" },
        { up: true, down: false },
      ],
      [
        { "1_a/up.sql": "select 1;", "1_a/down.sql": "select 2;", "1_a/metadata.toml": "run_in_transaction = false\n" },
        { up: false, down: false },
      ],
      [
        { "V1__a.sql": "select 1;", "U1__a.sql": "select 2;", "V1__a.sql.conf": "executeInTransaction=false\n" },
        { up: false, down: true },
      ],
      [
        { "1_a.up.sql": "select 1;", "1_a.down.sql": "select 2;" },
        { up: true, down: true },
      ],
    ];
    for (const [files, transactional] of cases) {
      const folder = await readFiles(files);
      expect(folder.problems).toEqual([]);
      expect(folder.migrations[0]!.transactional, JSON.stringify(files)).toEqual(transactional);
    }
  });
});

describe("Flyway", () => {
  it("orders versions part by part, and names what it has no undo for", async () => {
    const folder = await readFiles({
      "V1.10__d.sql": "select 1;",
      "V1_9__c.sql": "select 1;",
      "V01.2.3__b.sql": "select 1;",
      "U1.2.3__b.sql": "select 2;",
      "nested/V1__a.sql": "select 1;",
      "R__view.sql": "select 1;",
      "B1__base.sql": "select 1;",
    });
    expect(folder.migrations.map((one) => [one.version, one.rollback !== null])).toEqual([
      ["1", false],
      ["01.2.3", true],
      ["1.9", false],
      ["1.10", false],
    ]);
    expect(problemsOf(folder)).toEqual(["not_supported B1__base.sql:1", "not_supported R__view.sql:1"]);
  });
});

describe("up/down pairs", () => {
  it("are pairs by version too, as golang-migrate pairs them", async () => {
    const folder = await readFiles({
      "1_add.up.sql": "select 1;",
      "1_remove.down.sql": "select 2;",
      "2_b.postgres.up.sql": "select 1;",
      "2_b.down.sql": "select 2;",
    });
    expect(folder.migrations.map((one) => one.rollback?.sql)).toEqual(["select 2;", "select 2;"]);
    expect(folder.problems).toEqual([]);
  });

  it("for other databases are left out, and the one for Postgres goes before the one for all", async () => {
    const folder = await readFiles({
      "1_a.up.sql": "select 'all';",
      "1_a.postgres.up.sql": "select 'postgres';",
      "1_a.mysql.up.sql": "select 'mysql';",
      "1_a.down.sql": "select 2;",
    });
    expect(folder.migrations.map((one) => one.forwardSql)).toEqual(["select 'postgres';"]);
    expect(folder.migrations[0]!.rollback!.sql).toBe("select 2;");
    expect(problemsOf(folder)).toEqual(["left_out 1_a.mysql.up.sql:1", "left_out 1_a.up.sql:1"]);
  });
});

describe("versions", () => {
  it("of diesel are compared as text without their dashes, others as numbers", async () => {
    const folders = ["20240101000000_a", "2024-01-02-000000_b", "2024-01-01-120000-0000_c", "2023-12-31-000000-0000_d"];
    const { migrations } = await readFiles(Object.fromEntries(folders.map((name) => [`${name}/up.sql`, "select 1;"])));
    expect(migrations.map((one) => one.name.slice(-1))).toEqual(["d", "a", "c", "b"]);
  });

  it("may occur twice where the tool goes by whole names, and nowhere else", async () => {
    const twice = { "8_a.sql": "-- +migrate Up\nselect 1;", "8_b.sql": "-- +migrate Up\nselect 1;" };
    expect((await readFiles(twice)).problems).toEqual([]);
    expect(problemsOf(await readFiles({ "8_a.sql": "select 1;", "08_b.sql": "select 1;" }))).toEqual([
      "duplicate_version 8_a.sql:1",
    ]);
  });
});

describe("the folder of supabase db push", () => {
  it("names rollback files that it would run as migrations, and where they may go", async () => {
    const folder = await readSupabase({
      "20250101000000_a.sql": "select 1;",
      "20250101000000_a.down.sql": "select 2;",
      "20250102000000_b.sql": "select 1;",
      "20250102000000_b_rollback.sql": "select 2;",
      "20250103000000_c.sql": "select 1;",
      "20250104000000_rollback_c.sql": "select 2;",
      "20250105000000_add_down_payment.sql": "select 1;",
      "20250106000000_e.sql": "select 1;",
      "rollback_20250106000000_e.sql": "select 2;",
    });
    const traps = folder.problems.filter((one) => one.code === "trap");
    expect(traps.map((one) => one.severity)).toEqual(["error", "error", "error"]);
    expect(traps.map((one) => /move it to (\S+)/.exec(one.message)?.[1])).toEqual([
      "rollbacks/20250101000000_a.sql",
      "rollbacks/20250102000000_b.sql",
      "rollbacks/20250103000000_c.sql",
    ]);
  });

  it("names migrations that it skips", async () => {
    expect((await readSupabase({ "V1__a.sql": "select 1;", "U1__a.sql": "select 2;" })).problems).toMatchObject([
      { code: "trap", severity: "warning", message: expect.stringContaining("skips V1__a.sql") },
    ]);
    expect((await readSupabase({ "1_a/up.sql": "select 1;" })).problems).toMatchObject([
      { code: "trap", severity: "warning", message: expect.stringContaining("does not read folders") },
    ]);
  });

  it("of another tool has no such traps", async () => {
    expect((await readFiles({ "1_a.up.sql": "select 1;", "1_a.down.sql": "select 2;" })).problems).toEqual([]);
  });
});

describe("a section's marker", () => {
  it("that is not taken for one is a warning at its line", async () => {
    const folder = await readFiles({
      "1_a.sql": "select 1;\n-- ROLLBACK START (by hand)\n-- select 2;\n-- ROLLBACK END (by hand)\n",
      "2_b.sql": "select 1;\n/* ROLLBACK START\nselect 2;\nROLLBACK END */\n",
      "3_c.sql": "select 1; -- rollback starts here\n-- Rollback end to end\n",
    });
    expect(problemsOf(folder).slice(0, 4)).toEqual([
      "bad_marker 1_a.sql:2",
      "bad_marker 1_a.sql:4",
      "bad_marker 2_b.sql:2",
      "bad_marker 2_b.sql:4",
    ]);
    expect(folder.problems.every((one) => one.severity === "warning")).toBe(true);
  });
});

describe("files that cannot be read", () => {
  it("are named with the reason and the line", async () => {
    const folder = await readFiles({
      "1_a.sql": new Uint8Array([0xff, 0xfe, 0x41, 0x00]),
      "2_b.sql": "select 1;\nselect '\0';",
      "3_c.sql": new Uint8Array([...new TextEncoder().encode("select 1;\n\nselect '"), 0xe4, 0x27]),
      "4_d.go": "package migrations",
    });
    expect(folder.problems.map(({ message, place }) => `${place.line} ${message.replace(/^\S+ /, "")}`)).toEqual([
      "1 is UTF-16: save it as UTF-8",
      "2 holds a NUL byte, which Postgres takes in no text",
      "3 is not UTF-8: save it as UTF-8",
      "1 is a migration that is not SQL: Belay does not read it, and cannot roll it back",
    ]);
  });
});

describe("Belay's own migration", () => {
  it("is passed over; one that only names its schema is not", async () => {
    const folder = await readFiles({
      "1_a.sql": "/*\ncreate schema belay;\n*/\ndrop table a;",
      "2_b.sql": "create schema belay;",
    });
    expect(folder.migrations).toHaveLength(2);
  });
});

describe("odd names", () => {
  it("are read, or named: folders called x.sql, links, spaces, control characters, versions of 40 digits", async () => {
    const long = "9".repeat(40);
    const directory = folderOf({
      "1_a b.sql": "select 1;",
      "2_é\u0007\n.sql": "select 1;",
      [`${long}_z.sql`]: "select 1;",
      "0003_c.sql": "select 1;",
      "4_d.sql/inner.sql": "select 1;",
    });
    symlinkSync(join(directory, "1_a b.sql"), join(directory, "5_link.sql"));
    symlinkSync(directory, join(directory, "loop"));
    symlinkSync("/nowhere", join(directory, "6_broken.sql"));
    const folder = await readMigrationFolder(directory);
    expect(folder.migrations.map((one) => one.version)).toEqual(["1", "2", "0003", "5", long]);
    expect(folder.problems.map((one) => one.code).sort()).toEqual(["left_out", "left_out", "unreadable"]);
  });
});
