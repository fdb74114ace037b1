import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BelayError } from "../../shared/errors.ts";
import { isBlankSql } from "../../shared/sql/blank.ts";
import { commentLines } from "../../shared/sql/comments.ts";
import { parseSql } from "../../shared/sql/parse.ts";

const place = { file: "x.sql", line: 10 };

function failure(sql: string): BelayError {
  try {
    parseSql(sql, place);
  } catch (error) {
    if (error instanceof BelayError) return error;
  }
  throw new Error("no BelayError was thrown");
}

describe("parsing SQL", () => {
  it("refuses DROP TABLE IF NOT EXISTS with file, line, column and a caret", () => {
    const error = failure("select 1;\r\n\tDROP TABLE IF NOT EXISTS t;\nselect 2");
    expect(error.code).toBe("sql_syntax");
    expect(error.details).toMatchObject({
      file: "x.sql",
      line: 11,
      column: 16,
      problem: 'syntax error at or near "NOT"',
    });
    expect(error.message).toBe(
      'x.sql:11:16: syntax error at or near "NOT"\n\tDROP TABLE IF NOT EXISTS t;\n\t              ^',
    );
  });

  it("counts characters, not bytes, before an error", () => {
    const error = failure("select 'é😀😀';\nselect '😀' from from x");
    expect(error.details).toMatchObject({ line: 11, column: 18 });
  });

  it("names psql commands and NUL as what they are", () => {
    expect(failure("\\i other.sql").hint).toContain("psql");
    expect(failure("select 1;\n\0 drop table t").message).toContain("x.sql:11:1");
  });

  it("gives every statement its text and place behind comments and multi-byte text", () => {
    const sql = "-- é\n/* a /* b */ */ select 'é😀';;\n  drop table t";
    expect(parseSql(sql, place).map(({ kind, text, line, column }) => ({ kind, text, line, column }))).toEqual([
      { kind: "SelectStmt", text: "select 'é😀'", line: 11, column: 17 },
      { kind: "DropStmt", text: "drop table t", line: 12, column: 3 },
    ]);
  });

  it("finds no statement in nothing, comments and semicolons", () => {
    for (const sql of ["", "  \n", ";;", "-- a", "/* a /* b */ ; */ ; -- c", "\uFEFF"]) {
      expect(parseSql(sql, place)).toEqual([]);
      expect(isBlankSql(sql)).toBe(true);
    }
    expect(isBlankSql("/* a /* b */ select 1")).toBe(true);
    expect(isBlankSql("-- a\nselect 1")).toBe(false);
  });

  it("slices every statement of any script back out of it", () => {
    const statement = fc.constantFrom(
      "select 'é'",
      'drop table "ü"',
      "select $a$ ; -- x\n $a$",
      "do $$ begin end $$",
      "select e'\\';'",
      "select '😀;'",
    );
    const gap = fc.constantFrom(";", " ;\n", ";-- é ; select\n", "; /* ; /* 😀 */ */ ", ";\r\n\r\n", ";;");
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, gap), { minLength: 1, maxLength: 8 }), (parts) => {
        const sql = parts.map(([text, end]) => text + end).join("");
        const found = parseSql(sql, place);
        expect(found.map((one) => one.text)).toEqual(parts.map(([text]) => text));
        for (const one of found) expect(sql.slice(one.offset, one.offset + one.text.length)).toBe(one.text);
      }),
    );
  });

  it("never throws anything but sql_syntax, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (sql) => {
        try {
          parseSql(sql, place);
        } catch (error) {
          expect((error as BelayError).code).toBe("sql_syntax");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("comments", () => {
  it("are none within strings, quoted names, dollar quotes and other comments", () => {
    const sql = `select '-- a', E'\\'-- b', "-- c", $x$ -- d $y$ $x$, 'it''s -- e' -- f\n/* -- g\n h */ -- i`;
    expect(commentLines(sql).map((comment) => comment.text)).toEqual(["f", "-- g", "h", "i"]);
  });

  it("are found behind any mix of quotes that Postgres takes", () => {
    const token = fc.constantFrom(
      "'--x'",
      '"--x"',
      "$$--x$$",
      "$a$ $$--x $a$",
      "e'\\'--x'",
      "/*--x*/",
      "''''",
      "a$b$c",
      "1",
      "-",
      "/",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 10 }), (tokens) => {
        const found = commentLines(`${tokens.join(" ")} --real`);
        expect(found.filter((comment) => !comment.block).map((comment) => comment.text)).toEqual(["real"]);
      }),
    );
  });
});
