import { isBelayError } from "../../errors.ts";
import { parseSql } from "../../sql/parse.ts";
import { type Node, nodes, wordsOf } from "../effect/sql-nodes.ts";

/** A table, or a column of it, that forward SQL drops or renames away; `schema` null where the SQL does not say it. */
interface Name {
  readonly schema: string | null;
  readonly table: string;
  readonly column: string | null;
}

/** Tells whether forward SQL itself cleared a name that was in use before: what bears it after is the migration's own. */
export type MadeAnew = (schema: string | null, table: string, column?: string) => boolean;

/** Reads the forward SQL of migrations; SQL that does not parse clears nothing. */
export function readMadeAnew(forward: readonly string[]): MadeAnew {
  const cleared = forward.flatMap((sql) => eachStatement(sql, clearedBy));
  const renamedTo = forward.flatMap((sql) => eachStatement(sql, newNames));
  return (schema, table, column) => {
    const same = (one: Name) => one.table === table && (one.schema === null || one.schema === schema);
    // What is renamed away and back is what was there before.
    if (renamedTo.some((one) => same(one) && (one.column === null || one.column === column))) return false;
    return cleared.some((one) => same(one) && (one.column === null || one.column === column));
  };
}

function eachStatement(sql: string, read: (kind: string, body: Node) => Name[]): Name[] {
  try {
    return parseSql(sql, { file: "migration", line: 1 }).flatMap(({ kind, node }) => read(kind, node as Node));
  } catch (error) {
    if (isBelayError(error, "sql_syntax")) return [];
    throw error;
  }
}

function clearedBy(kind: string, body: Node): Name[] {
  if (kind === "DropStmt" && body.removeType === "OBJECT_TABLE") return nodes(body.objects).flatMap(named);
  if (kind === "AlterTableStmt") return droppedColumns(body);
  if (kind === "RenameStmt" && body.renameType === "OBJECT_TABLE") return [of(body.relation as Node, null)];
  if (kind === "RenameStmt" && body.renameType === "OBJECT_COLUMN")
    return [of(body.relation as Node, body.subname as string)];
  return [];
}

function newNames(kind: string, body: Node): Name[] {
  if (kind !== "RenameStmt") return [];
  const name = body.newname as string;
  if (body.renameType === "OBJECT_TABLE") return [{ ...of(body.relation as Node, null), table: name }];
  return body.renameType === "OBJECT_COLUMN" ? [of(body.relation as Node, name)] : [];
}

function named(object: Node): Name[] {
  const words = wordsOf(object);
  return words.length === 0 ? [] : [{ schema: words.at(-2) ?? null, table: words.at(-1)!, column: null }];
}

function droppedColumns(body: Node): Name[] {
  return nodes(body.cmds).flatMap((each) => {
    const command = each.AlterTableCmd as Node;
    return command.subtype === "AT_DropColumn" ? [of(body.relation as Node, command.name as string)] : [];
  });
}

function of(relation: Node, column: string | null): Name {
  return { schema: (relation.schemaname as string | undefined) ?? null, table: relation.relname as string, column };
}
