import type { PlainArchive } from "../types.ts";
import { readCopyStatement } from "./copy-statement.ts";
import { createInsertNames, namedExtension, namedRoles, type ScriptTable, tableKey } from "./names.ts";
import { statementKind } from "./statement-kind.ts";

/** Something in a script that a restore would refuse. */
export interface ScriptProblem {
  readonly line: number;
  readonly why: string;
  readonly hint: string;
}

/** What a script holds, found by reading all of it. Nothing that it says is trusted. */
export interface PlainSurvey {
  /** Tables with rows in the script, in its order. Rows of INSERT ... SELECT are not known and not counted. */
  readonly tables: readonly { readonly schema: string | null; readonly table: string; readonly rows: number }[];
  readonly statements: number;
  /** Of the tables' rows, those that come by INSERT. */
  readonly insertRows: number;
  readonly largeObjects: number;
  readonly extensions: readonly string[];
  /** Roles that must exist before the script runs. */
  readonly roles: readonly string[];
  /** The database that a script of `pg_dump --create` makes and connects to; null: it is for any database. */
  readonly database: string | null;
  /** Whether pg_dump's closing line is there; null when the script is not pg_dump's. */
  readonly complete: boolean | null;
  readonly dumpVersion: string | null;
  readonly serverVersion: string | null;
  /** Empty: nothing in it is known to be refused. */
  readonly problems: readonly ScriptProblem[];
}

const mostProblems = 100;
const mostNames = 10_000;

/** Reads a script to its end and says what is in it. Throws `archive_invalid` with the line where it does not read. */
export async function surveyPlain(
  archive: PlainArchive,
  options: { onBytes?(stored: number): void } = {},
): Promise<PlainSurvey> {
  const tables = new Map<string, { schema: string | null; table: string; rows: number }>();
  const roles = new Set<string>();
  const extensions = new Set<string>();
  const problems: ScriptProblem[] = [];
  const databases = createDatabases();
  const header = createHeader();
  const insertName = createInsertNames();
  const counts = { statements: 0, insertRows: 0, largeObjects: 0 };
  const addRows = (name: ScriptTable, rows: number) => {
    const key = tableKey(name);
    const known = tables.get(key);
    if (known !== undefined) known.rows += rows;
    else if (tables.size < mostNames * 10) tables.set(key, { ...name, rows });
  };
  const add = (names: Set<string>, name: string | null) => {
    if (name !== null && names.size < mostNames) names.add(name);
  };
  const refuse = (problem: ScriptProblem) => {
    if (problems.length < mostProblems) problems.push(problem);
  };

  const statement = (text: string, line: number, valueRows: number) => {
    counts.statements += 1;
    const found = statementKind(text);
    if (found.kind === "insert") {
      const name = insertName(text);
      counts.insertRows += valueRows;
      if (name !== null) addRows(name, valueRows);
      return;
    }
    if (found.kind === "refused") refuse({ line, why: `it ${found.why}: ${firstWords(text)}`, hint: found.hint });
    if (found.kind === "database") databases.statement(found.verb, found.database, line);
    if (found.kind === "large object" && /lo_create/i.test(text.slice(0, 100))) counts.largeObjects += 1;
    for (const role of namedRoles(text)) add(roles, role);
    add(extensions, namedExtension(text));
  };
  for await (const part of archive.parts(options)) {
    if (part.kind === "comment") header.read(part.text);
    else if (part.kind === "connect") databases.connect(part.database, part.line);
    else if (part.kind === "statement") statement(part.text, part.line, part.valueRows);
    else {
      counts.statements += 1;
      for await (const _ of part.rows);
      const copied = readCopyStatement(part.statement);
      addRows({ schema: copied?.schema ?? null, table: copied?.table ?? "?" }, part.linesRead());
    }
  }
  for (const problem of databases.problems()) refuse(problem);
  return {
    ...counts,
    ...header.found(),
    tables: [...tables.values()],
    extensions: [...extensions],
    roles: [...roles],
    database: databases.own(),
    problems: problems.sort((a, b) => a.line - b.line),
  };
}

/** A statement's beginning without any value, for people. */
export function firstWords(text: string): string {
  const words = /^(?:[A-Za-z_][\w$.]*|"[^"]*"(?:\.)?|\s)+/.exec(text.slice(0, 200))?.[0] ?? "";
  return words.replace(/\s+/g, " ").trim().split(" ").slice(0, 6).join(" ");
}

/** Follows CREATE DATABASE and \connect: a restore goes into one database. */
function createDatabases() {
  const found: { readonly database: string; readonly line: number; readonly why: string }[] = [];
  let own: string | null = null;
  const add = (database: string, line: number, why: string) => {
    if (found.length < mostProblems) found.push({ database, line, why });
  };
  return {
    statement(verb: string, database: string, line: number) {
      if (verb === "CREATE") own ??= database;
      if (["CREATE", "ALTER", "DROP"].includes(verb)) add(database, line, `${verb.toLowerCase()}s another database`);
    },
    connect(database: string | null, line: number) {
      if (database !== null) add(database, line, "connects to another database");
    },
    own: () => own,
    problems: (): ScriptProblem[] =>
      found
        .filter(({ database }) => database !== own)
        .map(({ database, line, why }) => ({
          line,
          why: `it ${why}, ${database}`,
          hint: "A restore goes into one database: dump each one alone, with `belay dump` or pg_dump.",
        })),
  };
}

/** Reads what pg_dump says of itself in comments. */
function createHeader() {
  let begins = 0;
  let ends = 0;
  let serverVersion: string | null = null;
  let dumpVersion: string | null = null;
  return {
    read(comment: string) {
      if (/^-- PostgreSQL database dump complete\s*$/.test(comment)) ends += 1;
      else if (/^-- PostgreSQL database dump\s*$/.test(comment)) begins += 1;
      serverVersion ??= /^-- Dumped from database version (\S.*?)\s*$/.exec(comment)?.[1] ?? null;
      dumpVersion ??= /^-- Dumped by pg_dump version (\S.*?)\s*$/.exec(comment)?.[1] ?? null;
    },
    found: () => ({ serverVersion, dumpVersion, complete: begins === 0 ? null : ends >= begins }),
  };
}
