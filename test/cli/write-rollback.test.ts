import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeRollback } from "../../cli/write-rollback.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { TemplateProposal } from "../../shared/migrations/template/propose.ts";
import { templateText } from "../../shared/migrations/template/text.ts";
import type { LayoutName } from "../../shared/migrations/types.ts";
import { temporaryFolder } from "../support/belay.ts";

const now = new Date("2026-11-21T03:04:05Z");
const statements = [
  "DROP TABLE public.b",
  "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE plpgsql\n    AS $$\nbegin\n  perform 1;\n\n  perform ';';\nend\n$$",
];

function proposalFor(migration: string, sql: readonly string[] = statements): TemplateProposal {
  const facts = {
    name: migration,
    purpose: "undoes b",
    forwardSql: "",
    verification: [],
    proved: true,
    differences: [],
  };
  const text = templateText({ ...facts, statements: sql });
  return { ...text, migration, statements: sql, state: "proved", message: "", sql: null, text: null, differences: [] };
}

function project(files: Readonly<Record<string, string>>, place = "migrations"): string {
  const directory = join(temporaryFolder(), place);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

async function write(directory: string, migration: string, layout?: LayoutName, force = false, sql = statements) {
  const folder = await readMigrationFolder(directory, layout);
  return await writeRollback(folder, proposalFor(migration, sql), { force, now, layout });
}

interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly migration: string;
  /** Path from the folder. */
  readonly file: string;
  readonly text: RegExp;
}

const up = "create table b (id int);\n";
const cases: Readonly<Record<LayoutName, Case>> = {
  section: {
    files: { "1_b.sql": up },
    migration: "1_b",
    file: "1_b.sql",
    text: /^create table b \(id int\);\n\n-- ROLLBACK START\n-- -- Rollback of 1_b\n[\s\S]*-- DROP TABLE public\.b;\n[\s\S]*-- ROLLBACK END\n$/,
  },
  "rollbacks-folder": {
    files: { "20250101000000_b.sql": up },
    migration: "20250101000000_b",
    file: "rollbacks/20261121030405_rollback_b.sql",
    text: /^-- Reverses: 20250101000000_b\.sql\n-- Rollback of /,
  },
  "mirror-folder": {
    files: { "1_b.sql": up },
    migration: "1_b",
    file: "rollback/1_b.sql",
    text: /^-- Rollback of 1_b\n/,
  },
  prefix: { files: { "1_b.sql": up }, migration: "1_b", file: "rollback_1_b.sql", text: /^-- Rollback of 1_b\n/ },
  "up-down-pair": {
    files: { "1_b.up.sql": up },
    migration: "1_b",
    file: "1_b.down.sql",
    text: /^-- Rollback of 1_b\n/,
  },
  dbmate: {
    files: { "1_b.sql": `-- migrate:up\n${up}` },
    migration: "1_b",
    file: "1_b.sql",
    text: /^-- migrate:up\ncreate table b \(id int\);\n\n-- migrate:down\n-- Rollback of 1_b\n/,
  },
  goose: {
    files: { "1_b.sql": `-- +goose Up\n${up}\n-- +goose Down\n` },
    migration: "1_b",
    file: "1_b.sql",
    text: /\n-- \+goose Down\n-- Rollback[\s\S]*\nDROP TABLE public\.b;\n-- \+goose StatementBegin\nCREATE FUNCTION [\s\S]*\$\$;\n-- \+goose StatementEnd\n$/,
  },
  flyway: { files: { "V2__b.sql": up }, migration: "V2__b", file: "U2__b.sql", text: /^-- Rollback of V2__b\n/ },
  "folder-pair": {
    files: { "2025-01-01-000000_b/up.sql": up },
    migration: "2025-01-01-000000_b",
    file: "2025-01-01-000000_b/down.sql",
    text: /^-- Rollback of 2025/,
  },
  "sql-migrate": {
    files: { "1_b.sql": `-- +migrate Up\n${up}` },
    migration: "1_b",
    file: "1_b.sql",
    text: /\n-- \+migrate Down\n-- Rollback[\s\S]*-- \+migrate StatementBegin\nCREATE FUNCTION /,
  },
};

describe("writing a proposed rollback", () => {
  it.each(Object.entries(cases))("goes where the layout %s has it, and is found there again", async (layout, one) => {
    const directory = project(one.files);
    const found = await write(directory, one.migration, layout as LayoutName);
    expect(found).toMatchObject({ state: "written", file: join(directory, one.file) });
    expect(readFileSync(found.file, "utf8")).toMatch(one.text);
    const again = await readMigrationFolder(directory, layout as LayoutName);
    expect(again.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(again.migrations[0]!.rollback).toMatchObject({ file: join(directory, one.file), selfReversing: false });
    expect(await write(directory, one.migration, layout as LayoutName)).toMatchObject({ state: "unchanged" });
  });

  it.each(Object.entries(cases))(
    "leaves other rollback SQL of the layout %s alone, but by force",
    async (layout, one) => {
      const directory = project(one.files);
      await write(directory, one.migration, layout as LayoutName, false, ["DROP TABLE public.other"]);
      const place = join(directory, one.file);
      const mine = readFileSync(place, "utf8");
      expect(await write(directory, one.migration, layout as LayoutName)).toMatchObject({ state: "exists", old: mine });
      expect(readFileSync(place, "utf8")).toBe(mine);
      expect(await write(directory, one.migration, layout as LayoutName, true)).toMatchObject({ state: "written" });
      expect(readFileSync(place, "utf8")).not.toContain("public.other");
      expect(readdirSync(dirname(place)).filter((name) => name.startsWith(".belay"))).toEqual([]);
    },
  );

  it("keeps \\r\\n, a byte order mark, and what stands around an empty section", async () => {
    const directory = project({
      "1_b.sql":
        "\uFEFFcreate table b (id int);\r\n-- ROLLBACK START\r\n-- -- TODO\r\n-- ROLLBACK END\r\n-- the end\r\n",
    });
    const { file } = await write(directory, "1_b");
    const text = readFileSync(file, "utf8");
    expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(text.startsWith("\uFEFFcreate table b (id int);\r\n-- ROLLBACK START\r\n-- -- Rollback of 1_b\r\n")).toBe(
      true,
    );
    expect(text.endsWith("-- ROLLBACK END\r\n-- the end\r\n")).toBe(true);
  });

  it("ends a last line that had no end, and does not take an open comment for one", async () => {
    const directory = project({ "1_b.sql": "create table b (id int); -- b" });
    await write(directory, "1_b");
    expect(readFileSync(join(directory, "1_b.sql"), "utf8")).toMatch(/-- b\n\n-- ROLLBACK START\n/);
    const open = project({ "1_b.sql": "create table b (id int); /* b" });
    const before = readFileSync(join(open, "1_b.sql"), "utf8");
    await expect(write(open, "1_b")).rejects.toMatchObject({ code: "layout_invalid" });
    expect(readFileSync(join(open, "1_b.sql"), "utf8")).toBe(before);
  });

  it("makes no file that supabase db push would run", async () => {
    const files = { "20250101000000_b.up.sql": up };
    const directory = project(files, "supabase/migrations");
    await expect(write(directory, "20250101000000_b", "up-down-pair")).rejects.toMatchObject({ code: "usage" });
    const plain = project({ "20250101000000_b.sql": up }, "supabase/migrations");
    for (const layout of ["section", "rollbacks-folder", "mirror-folder", "prefix"] as const) {
      await write(plain, "20250101000000_b", layout, true);
      expect(readdirSync(plain).filter((name) => /^[0-9]+_.*\.sql$/.test(name))).toEqual(["20250101000000_b.sql"]);
    }
  });

  it("does not write over a file that reverses other migrations too", async () => {
    const directory = project({
      "1_a.sql": "create table a (id int);",
      "2_b.sql": up,
      "rollbacks/3_both.sql": "-- Reverses: 1_a.sql, 2_b.sql\ndrop table b; drop table a;",
    });
    await expect(write(directory, "2_b", undefined, true)).rejects.toThrow(/reverses 1_a too/);
  });

  it("is read as it was written, whatever stands in the migration and in the SQL", async () => {
    const word = fc.constantFrom(
      "'",
      '"',
      "$$",
      "--",
      "/*",
      "*/",
      ";",
      "\n",
      "\r\n",
      "-- ROLLBACK END",
      "-- +goose Up",
      "x",
      " ",
    );
    const text = fc.array(word, { maxLength: 8 }).map((parts) => parts.join(""));
    const names = Object.keys(cases) as LayoutName[];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), text, text, async (layout, before, comment) => {
        const one = cases[layout];
        const [[name, forward]] = Object.entries(one.files) as [[string, string]];
        const directory = project({ [name]: `${forward}${before}` });
        const file = join(directory, name);
        const sql = [`COMMENT ON TABLE public.t IS '${comment.replaceAll("'", "''").replaceAll("\r", "")}'`];
        const written = await write(directory, one.migration, layout, false, sql).catch((error) => error);
        if (written instanceof Error) expect(readFileSync(file, "utf8")).toBe(`${forward}${before}`);
        else if (written.state !== "exists") expect(readFileSync(written.file, "utf8")).toContain("COMMENT ON TABLE");
      }),
      { numRuns: 60 },
    );
  });
});
