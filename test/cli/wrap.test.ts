import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../cli/exit.ts";
import { hang, table } from "../../cli/render/wrap.ts";
import { errorCodes } from "../../shared/errors.ts";

describe("wrapping", () => {
  const text = "the rollback SQL destroys what the migration did not make";

  it("continues in the column where the text began", () => {
    expect(hang("  ✗ gate  ", text, 42)).toEqual([
      "  ✗ gate  the rollback SQL destroys what",
      "          the migration did not make",
    ]);
  });

  it("goes below a prefix that leaves no room", () => {
    expect(hang("  ✗ a_gate_with_a_long_name  ", text, 50)).toEqual([
      "  ✗ a_gate_with_a_long_name",
      "      the rollback SQL destroys what the migration",
      "      did not make",
    ]);
  });

  it("keeps a line where nobody looks, and code with its caret", () => {
    expect(hang("  ", text.repeat(9), Number.POSITIVE_INFINITY)).toEqual([`  ${text.repeat(9)}`]);
    const code = "create table if not exists a_table_with_a_very_long_name (id int);";
    expect(hang("  ", `file.sql:1: no\n${code}\n       ^`, 40)).toEqual([
      "  file.sql:1: no",
      `  ${code}`,
      "         ^",
    ]);
  });

  it("puts the last column of a wide table under each row, and of a wider one the first above it", () => {
    const rows = [
      ["20250101_a_migration", "applied", "no rollback SQL"],
      ["20250102_b", "applied", "-"],
    ];
    expect(table(["migration", "status", "reason"], rows, 100)[1]).toBe(
      "20250101_a_migration  applied  no rollback SQL",
    );
    expect(table(["migration", "status", "reason"], rows, 40)).toEqual([
      "migration             status",
      "20250101_a_migration  applied",
      "    no rollback SQL",
      "20250102_b            applied",
    ]);
    const long = [["20250101_a_migration_with_a_long_name", "applied", "no rollback SQL"]];
    expect(table(["migration", "status", "reason"], long, 40)).toEqual([
      "migration",
      "  status",
      "20250101_a_migration_with_a_long_name",
      "  applied",
      "    no rollback SQL",
    ]);
  });
});

describe("exit codes", () => {
  it("are 1 to 5 for every error, as the help says", () => {
    for (const code of errorCodes) expect([1, 2, 3, 4, 5]).toContain(exitCodeOf(code));
    expect(
      ["usage", "gate_failed", "lock_not_obtained", "drill_failed", "sql_failed"].map((code) =>
        exitCodeOf(code as "usage"),
      ),
    ).toEqual([2, 3, 4, 5, 1]);
  });
});
