import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import { scanSql } from "../../sql/parse.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { RowWrite } from "../effect/simulation.ts";
import type { Node } from "../effect/sql-nodes.ts";

/** A statement that writes rows, and how many it would reach as the database stands; null: not cheap to tell. */
export interface CountedWrite extends RowWrite {
  readonly schema: string;
  readonly table: string;
  readonly rows: number | null;
}

/** Beyond this many rows a plan does not count what a WHERE reaches. */
const countUpToRows = 1_000_000;

/** Counts what UPDATE, DELETE and TRUNCATE would reach now; a condition that calls functions or asks other tables is not run. */
export async function countWrites(
  session: Session,
  writes: readonly RowWrite[],
  graph: DependencyGraph,
): Promise<CountedWrite[]> {
  const counted: CountedWrite[] = [];
  for (const write of writes) {
    const { schema, name } = graph.byOid.get(write.oid)!;
    counted.push({
      ...write,
      schema: schema ?? "",
      table: name,
      rows: await rowsOf(session, write, schema ?? "", name),
    });
  }
  return counted;
}

async function rowsOf(session: Session, write: RowWrite, schema: string, table: string): Promise<number | null> {
  if (write.verb === "insert") return write.tuples;
  if (write.verb !== "update" && write.verb !== "delete" && write.verb !== "truncate") return null;
  const condition = write.verb === "truncate" ? "" : conditionOf(write);
  if (condition === null || !(await isSmall(session, write.oid))) return null;
  const alias = write.alias === null ? "" : ` as ${quoteIdent(write.alias)}`;
  const from = `${write.only ? "only " : ""}${qualified(schema, table)}${alias}`;
  await session.run("savepoint belay_count");
  try {
    const [row] = await session.sql.unsafe(`select count(*)::float8 as rows from ${from}${condition}`);
    return row!.rows as number;
  } catch {
    await session.run("rollback to savepoint belay_count");
    return null;
  } finally {
    await session.run("release savepoint belay_count");
  }
}

async function isSmall(session: Session, oid: number): Promise<boolean> {
  const [row] = await session.sql`
    select coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 as rows, bool_and(has_table_privilege(c.oid, 'select')) as readable
      from pg_class c where c.oid = ${String(oid)}::oid or c.oid in (select relid from pg_partition_tree(${String(oid)}::oid))`;
  return row!.readable === true && row!.rows <= countUpToRows;
}

/** The WHERE of the statement's own text, with the word; empty without one, null when it is not to be run. */
export function conditionOf({ text, node }: Pick<RowWrite, "text" | "node">): string | null {
  if (text === null || node.fromClause !== undefined || node.usingClause !== undefined || node.withClause !== undefined)
    return null;
  if (node.whereClause === undefined) return "";
  if (!isPlain(node.whereClause)) return null;
  let depth = 0;
  let from = -1;
  for (const token of scanSql(text)) {
    const word = token.text.toLowerCase();
    if (word === "(") depth += 1;
    else if (word === ")") depth -= 1;
    else if (depth === 0 && word === "where" && from < 0) from = token.start;
    else if (depth === 0 && word === "returning" && from >= 0) return ` ${text.slice(from, token.start)}`;
  }
  return from < 0 ? null : ` ${text.slice(from)}`;
}

const plainNodes = new Set([
  "A_Expr",
  "BoolExpr",
  "NullTest",
  "BooleanTest",
  "A_Const",
  "ColumnRef",
  "TypeCast",
  "TypeName",
  "A_ArrayExpr",
  "List",
  "String",
  "Integer",
  "Float",
]);

/** Columns, constants and operators alone. */
function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  if (value === null || typeof value !== "object") return true;
  return Object.entries(value as Node).every(
    ([kind, body]) => (!/^[A-Z]/.test(kind) || plainNodes.has(kind)) && isPlain(body),
  );
}
