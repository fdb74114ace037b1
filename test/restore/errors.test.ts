import { expect, test } from "vitest";
import { restoreError } from "../../shared/archive/restore/errors.ts";

function server(code: string, message: string, where?: string): Error {
  return Object.assign(new Error(message), { code, where, severity: "ERROR" });
}

const secret = "4929-1234";
const rows = { what: "the rows of public.cards", table: "public.cards", majors: { from: 15, into: 15 } };
const entry = { what: "INDEX public.i", majors: { from: 15, into: 15 } };

test.each([
  [
    "bad_data",
    "archive_invalid",
    server("22P02", `invalid input syntax for type integer: "${secret}"`, `COPY cards, line 3, column id: "${secret}"`),
    rows,
  ],
  ["bad_data", "archive_invalid", server("22021", `invalid byte sequence for encoding "UTF8": 0x${secret}`), rows],
  [
    "bad_data",
    "archive_invalid",
    server("22P04", 'missing data for column "note"', `COPY cards, line 3: "${secret}"`),
    rows,
  ],
  ["bad_data", "archive_invalid", server("23505", 'could not create unique index "i"'), entry],
  ["missing_role", "restore_target", server("42704", 'role "amy" does not exist'), entry],
  ["missing_extension", "restore_target", server("58P01", "could not open extension control file"), entry],
  ["permission", "restore_target", server("42501", "must be superuser"), entry],
  ["disk_full", "database_error", server("53100", "could not extend file: No space left on device"), rows],
  ["limit", "database_error", server("53200", "out of shared memory"), entry],
  ["connection_lost", "connection_lost", server("57P01", "terminating connection due to administrator command"), rows],
  ["connection_lost", "connection_lost", server("CONNECTION_CLOSED", "write CONNECTION_CLOSED"), rows],
  [
    "version",
    "restore_target",
    server("42601", 'syntax error at or near "VIRTUAL"'),
    { ...entry, majors: { from: 18, into: 15 } },
  ],
  ["other", "archive_invalid", server("42601", 'syntax error at or near "VIRTUAL"'), entry],
  ["exists", "restore_target", server("42P07", 'relation "t" already exists'), entry],
] as const)("%s: the error names the entry and the next step, and holds no value", (fault, code, error, context) => {
  const known = restoreError(error, context);
  expect(known.code).toBe(code);
  expect(known.details.fault).toBe(fault);
  expect(known.message).toContain(context.what);
  expect(known.hint).toBeTruthy();
  expect(JSON.stringify({ ...known.details, message: known.message, hint: known.hint })).not.toContain(secret);
});

test("the line and column that the server names are in the error, but not the line when several sessions share the table", () => {
  const error = server("22P02", "invalid input syntax", `COPY cards, line 77, column id: "${secret}"`);
  expect(restoreError(error, rows)).toMatchObject({
    message: expect.stringContaining("(line 77, column id)"),
    details: { line: 77, column: "id" },
  });
  expect(restoreError(error, { ...rows, lines: false }).message).toContain("(column id)");
});
