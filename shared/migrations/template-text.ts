import { isBelayError } from "../errors.ts";
import { parseSql, type SqlNode, type Statement } from "../sql/parse.ts";
import type { LayoutName } from "./types.ts";

export interface TemplateFacts {
  readonly name: string;
  readonly layout: LayoutName;
  readonly statements: readonly string[];
  readonly forwardSql: string;
  readonly proved: boolean;
  readonly differences: readonly string[];
}

export interface TemplateText {
  readonly risk: "HIGH" | "MEDIUM" | "LOW";
  /** What is lost when it runs, for people. */
  readonly dataLoss: readonly string[];
  /** Ready to paste: a commented section, or the text of a .down.sql. */
  readonly text: string;
}

/** Rollback SQL with its documentation: purpose, risk, data loss, steps, verification. */
export function templateText(facts: TemplateFacts): TemplateText {
  const statements = facts.statements.flatMap((sql) => parseSql(sql, { file: "proposal", line: 1 }));
  const dataLoss = [...statements.flatMap(lossOf), ...rowChanges(facts.forwardSql)];
  const risk =
    dataLoss.length > 0 ? "HIGH" : statements.some((statement) => statement.kind === "DropStmt") ? "MEDIUM" : "LOW";
  const head = [
    `Purpose: undoes ${facts.name}`,
    `Risk: ${risk}`,
    ...(dataLoss.length === 0 ? ["Data loss: none found"] : ["Data loss:", ...dataLoss.map((line) => `  - ${line}`)]),
    "Steps:",
    ...facts.statements
      .filter((sql) => !sql.startsWith("SET LOCAL "))
      .map((sql, index) => `  ${index + 1}. ${shorten(sql)}`),
    facts.proved
      ? "Verification: proved on a scratch copy: after it every catalog entry is as before the migration"
      : "Verification: NOT proved",
    ...facts.differences.slice(0, 20).map((line) => `  - ${line}`),
  ];
  const body = [...head.map((line) => `-- ${line}`), "", ...facts.statements.map((sql) => `${sql};`)].join("\n");
  return { risk, dataLoss, text: facts.layout === "up-down-pair" ? `${body}\n` : section(body) };
}

function section(body: string): string {
  const lines = body.split("\n").map((line) => (line === "" ? "--" : `-- ${line}`));
  return ["-- ROLLBACK START", ...lines, "-- ROLLBACK END", ""].join("\n");
}

function lossOf(statement: Statement): string[] {
  const { kind, node, text } = statement;
  if (kind === "DropStmt") {
    const what = { OBJECT_TABLE: "all rows of", OBJECT_SEQUENCE: "the value of", OBJECT_SCHEMA: "all that is in" }[
      String(node.removeType)
    ];
    return what === undefined ? [] : [`${what} ${shorten(text.replace(/^drop\s+/i, ""))}`];
  }
  if (kind !== "AlterTableStmt") return [];
  const table = nameOf(node.relation as SqlNode);
  return ((node.cmds ?? []) as { AlterTableCmd?: SqlNode }[]).flatMap(({ AlterTableCmd: command }) => {
    if (command?.subtype === "AT_DropColumn") return [`the values of ${table}.${String(command.name)}`];
    if (command?.subtype === "AT_AlterColumnType") return [`values of ${table}.${String(command.name)} are converted`];
    return [];
  });
}

// No comparison of schemas can tell how rows were before the migration changed them.
function rowChanges(forwardSql: string): string[] {
  try {
    const kinds = new Set([
      "InsertStmt",
      "UpdateStmt",
      "DeleteStmt",
      "TruncateStmt",
      "MergeStmt",
      "DoStmt",
      "CallStmt",
    ]);
    return parseSql(forwardSql, { file: "migration", line: 1 })
      .filter((statement) => kinds.has(statement.kind))
      .map(
        (statement) =>
          `line ${statement.line} of the migration may change rows, which this does not put back: ${shorten(statement.text)}`,
      );
  } catch (error) {
    if (isBelayError(error, "sql_syntax"))
      return ["the migration's own SQL could not be parsed, so changed rows are not known"];
    throw error;
  }
}

function nameOf(relation: SqlNode): string {
  return relation.schemaname === undefined ? String(relation.relname) : `${relation.schemaname}.${relation.relname}`;
}

function shorten(sql: string): string {
  const line = sql.replace(/\s+/g, " ").trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
