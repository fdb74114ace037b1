import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layoutNames } from "../../shared/config.ts";
import { isBelayError } from "../../shared/errors.ts";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { isBlankSql } from "../../shared/sql/blank.ts";
import { temporaryFolder } from "../support/belay.ts";
import { folderOf } from "./folders.ts";

const piece = fc.constantFrom(
  "create table t ();",
  "-- ROLLBACK START",
  "-- ROLLBACK END",
  "ROLLBACK START",
  "-- VERIFY START",
  "-- VERIFY END",
  "-- drop table t;",
  "drop table t;",
  "-- +goose Up",
  "-- +goose Down",
  "-- +goose StatementBegin",
  "-- +goose StatementEnd",
  "-- +goose NO TRANSACTION",
  "-- migrate:up transaction:false",
  "-- migrate:down",
  "-- +migrate Up",
  "-- +migrate Down notransaction",
  "-- Depends on: 1_a.sql, 2_b",
  "-- Reverses: 1_a.sql and 2_b.sql",
  "select 'open",
  "'",
  "e'\\'",
  "$$",
  "$f$",
  '"',
  "/* /* */",
  "*/",
  "\u2028",
  "é ünïcode",
  "\\",
  "",
);
const text = fc
  .tuple(
    fc.constantFrom("", "\uFEFF"),
    fc.array(fc.tuple(piece, fc.constantFrom("\n", "\r\n", "\r", " ")), { maxLength: 12 }),
  )
  .map(([mark, parts]) => mark + parts.map(([word, end]) => word + end).join(""));
const name = fc.oneof(
  fc.constantFrom(
    "1_a.sql",
    "2_b.sql",
    "01_a.sql",
    "1_a.up.sql",
    "1_a.down.sql",
    "2_b.down.sql",
    "rollback_1_a.sql",
    "rollback_9_z.sql",
    "rollbacks/1_a.sql",
    "rollbacks/all.sql",
    "rollback/2_b.sql",
    "V1__a.sql",
    "V1_1__b.sql",
    "U1__a.sql",
    "R__x.sql",
    "B1__x.sql",
    "1_a/up.sql",
    "1_a/down.sql",
    "2024-01-02-000000_x/migration.sql",
    "deep/er/3_c.sql",
    "seed.sql",
    "3_é x.SQL",
    `${"7".repeat(40)}_z.sql`,
    ".sql",
    "a\u0007b.sql",
  ),
  fc.stringMatching(/^[0-9]{1,4}[_.-]?[a-zU_. -]{0,8}\.sql$/),
);

function everyFileIsTold(files: readonly string[], folder: MigrationFolder): void {
  const told = new Set([
    ...folder.migrations.flatMap((one) => [one.file, one.rollback?.file, one.emptyRollback?.file]),
    ...folder.problems.map((one) => one.place.file),
  ]);
  const untold = files.filter((file) => /\.sql$/i.test(file) && !told.has(join(folder.directory, file)));
  expect(untold).toEqual([]);
}

describe("any folder", () => {
  it("is read without a fault, in any layout, and every .sql file is a migration, a rollback of one, or in a problem", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, text), { maxLength: 8 }),
        fc.constantFrom(undefined, ...layoutNames),
        async (entries, layout) => {
          const files = Object.fromEntries(entries);
          const directory = folderOf(files);
          const folder = await readMigrationFolder(directory, layout);
          everyFileIsTold(Object.keys(files), folder);
          for (const one of folder.migrations) {
            expect(one.rollback === null || one.emptyRollback === null).toBe(true);
            expect(one.rollback !== null && isBlankSql(one.rollback.sql)).toBe(false);
          }
          for (const { place } of folder.problems) expect(place.line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  it("is refused as a whole only with an error of Belay's own", async () => {
    const error = await readMigrationFolder(join(temporaryFolder(), "none")).catch((thrown: unknown) => thrown);
    expect(isBelayError(error, "layout_invalid")).toBe(true);
  });
});

describe("a section", () => {
  it("takes all that it holds out of the forward SQL, whatever ends the lines", () => {
    const forward = fc.array(
      fc.constantFrom("create table a ();", "select '\n-- ROLLBACK START\n';", "do $$ begin end $$;", "-- note", ""),
      { maxLength: 5 },
    );
    const rollback = fc.array(fc.constantFrom("drop table secret;", "-- why", "select 'x';", ""), {
      minLength: 1,
      maxLength: 5,
    });
    const end = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(forward, rollback, fc.boolean(), end, (before, inner, isLive, ending) => {
        const lines = [
          ...before,
          "-- ROLLBACK START",
          ...inner.map((line) => (isLive ? line : `-- ${line}`)),
          "-- ROLLBACK END",
          "select 9;",
        ];
        const split = splitSections({ path: "x.sql", name: "x.sql", text: lines.join(ending) });
        expect(split.problems).toEqual([]);
        expect(split.forwardSql).not.toContain("secret");
        expect(split.forwardSql).toContain("select 9;");
        expect(split.rollback!.sql.includes("secret")).toBe(inner.includes("drop table secret;"));
      }),
      { numRuns: 300 },
    );
  });
});

describe("time", () => {
  const took = async (directory: string): Promise<number> => {
    const start = performance.now();
    await readMigrationFolder(directory);
    return performance.now() - start;
  };
  const size = 400_000;
  const long: Record<string, string> = {
    stars: `/${"*".repeat(size)}\n select 1;`,
    "many stars in lines": `/*${"\n***** x".repeat(size / 8)}*/`,
    dashes: "-".repeat(size),
    "blank lines": "\n".repeat(size),
    spaces: `${" ".repeat(size)}x`,
    "comments that never end": "/*".repeat(size / 2),
    "dollar signs": "$a".repeat(size / 2),
    "open quotes": "'".repeat(size + 1),
    "quote and backslash": "e'\\".repeat(size / 3),
    "section markers": "-- ROLLBACK START\n".repeat(size / 18),
    "section after section": "-- ROLLBACK START\n-- x\n-- ROLLBACK END\n".repeat(size / 40),
    "marker that almost is one": `-- ${"=".repeat(size)} ROLLBACK`,
    labels: `-- Depends on: ${"(".repeat(size)}`,
    names: `-- Depends on: ${"1_a, ".repeat(size / 5)}`,
    "a header of names": `-- Reverses: ${"1_a.sql, ".repeat(size / 9)}\nselect 1;`,
    "create schema": "create schema if not exists ".repeat(size / 28),
    "goose markers": "-- +goose Up\n-- +goose Down\n".repeat(size / 28),
    "one line": `select ${"1, ".repeat(size / 3)}1;`,
    identifiers: "a".repeat(size),
    "carriage returns": "\r".repeat(size),
  };

  it.each(Object.entries(long))("to read a file of %s grows with its size alone", async (_, content) => {
    expect(await took(folderOf({ "1_a.sql": content, "rollback_1_a.sql": content }))).toBeLessThan(3_000);
  });

  it("to read 3,000 files, each depending on the one before it, and 3,000 rollbacks, is seconds", async () => {
    const directory = temporaryFolder();
    mkdirSync(join(directory, "rollbacks"));
    for (let index = 1; index <= 3_000; index += 1) {
      const file = `${String(index).padStart(6, "0")}_x.sql`;
      const before = `${String(index - 1).padStart(6, "0")}_x.sql`;
      writeFileSync(
        join(directory, file),
        `${index > 1 ? `-- Depends on: ${before}\n` : ""}create table t${index} ();\n`,
      );
      writeFileSync(join(directory, "rollbacks", `r${index}.sql`), `-- Reverses: ${file}\ndrop table t${index};\n`);
    }
    const start = performance.now();
    const folder = await readMigrationFolder(directory);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(folder.problems).toEqual([]);
    expect(folder.migrations.filter((one) => one.rollback !== null && one.dependsOn.length === 1)).toHaveLength(2_999);
  }, 60_000);
});
