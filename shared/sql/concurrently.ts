import { parseSql, type SqlNode, type Statement, scanSql } from "./parse.ts";

/** Whether a statement asks for a CONCURRENTLY that Postgres refuses inside a transaction. */
export function isConcurrent(statement: Statement): boolean {
  const { kind, node } = statement;
  if (kind === "IndexStmt" || kind === "DropStmt") return node.concurrent === true;
  if (kind === "ReindexStmt") return reindexIsConcurrent(node);
  if (kind === "AlterTableStmt") return detachesConcurrently(node);
  return false;
}

/** The statement without CONCURRENTLY, or null when that has no such form. */
export function withoutConcurrently(statement: Statement): string | null {
  const tokens = scanSql(statement.text);
  const places = tokens.flatMap((token, index) => (token.text.toLowerCase() === "concurrently" ? [index] : []));
  const index = statement.kind === "AlterTableStmt" ? places.at(-1) : places[0];
  if (index === undefined) return null;
  const token = tokens[index]!;
  const inOptions = [",", "("].includes(tokens[index - 1]?.text ?? "");
  const value = inOptions && ![",", ")"].includes(tokens[index + 1]?.text ?? ")") ? tokens[index + 1]! : token;
  const filler = inOptions ? "concurrently off" : " ".repeat(token.end - token.start);
  const rewritten = statement.text.slice(0, token.start) + filler + statement.text.slice(value.end);
  const [parsed] = parseSql(rewritten, { file: "rewritten", line: 1 });
  return parsed === undefined || isConcurrent(parsed) ? null : rewritten;
}

function reindexIsConcurrent(node: SqlNode): boolean {
  const params = (node.params ?? []) as { DefElem?: { defname?: string; arg?: unknown } }[];
  return params.some(({ DefElem: option }) => option?.defname === "concurrently" && !isOff(option.arg));
}

function isOff(argument: unknown): boolean {
  const value = argument as { String?: { sval?: string }; Integer?: { ival?: number } } | undefined;
  if (value?.Integer !== undefined) return (value.Integer.ival ?? 0) === 0;
  return ["off", "false", "0"].includes(value?.String?.sval?.toLowerCase() ?? "on");
}

function detachesConcurrently(node: SqlNode): boolean {
  const commands = (node.cmds ?? []) as { AlterTableCmd?: { def?: { PartitionCmd?: { concurrent?: boolean } } } }[];
  return commands.some((command) => command.AlterTableCmd?.def?.PartitionCmd?.concurrent === true);
}
