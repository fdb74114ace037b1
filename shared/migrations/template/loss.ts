import { isBelayError } from "../../errors.ts";
import { parseSql, type SqlNode, type Statement } from "../../sql/parse.ts";
import { shorten } from "../../words.ts";

/** What a proposed rollback costs, each line for people. */
export interface LossNotes {
  /** What it destroys: rows and values that came since the migration, or stood in what the migration made. */
  readonly destroys: readonly string[];
  /** What it cannot bring back, because the migration destroyed or changed it. */
  readonly notBroughtBack: readonly string[];
  /** Rows that make it fail, so that nothing changes. */
  readonly failsOn: readonly string[];
}

/** Reads the notes out of the proposed statements, and of the migration's own SQL for what no schema shows. */
export function lossNotes(statements: readonly Statement[], forwardSql: string): LossNotes {
  const changes = statements.flatMap(commandsOf);
  const back = changes.filter(({ action }) => action === "add column");
  const filled = new Set(changes.filter(({ action }) => action === "set not null").map(({ column }) => column));
  const required = back.filter(({ column, notNull, hasDefault }) => (notNull || filled.has(column)) && !hasDefault);
  return {
    destroys: [
      ...statements.flatMap(droppedBy),
      ...changes.flatMap(({ action, column }) => (action === "drop column" ? [`the values of ${column}`] : [])),
      ...changes.flatMap(({ action, column }) =>
        action === "change type" ? [`what a conversion of ${column} to its old type cuts off`] : [],
      ),
    ],
    notBroughtBack: [
      ...statements.flatMap(cameBackEmpty),
      ...back.map(({ column }) => `the values of ${column}, which the migration dropped: the column comes back empty`),
      ...rowChanges(forwardSql),
    ],
    failsOn: required.map(
      ({ column, table }) =>
        `${column} comes back NOT NULL and without values: while ${table} has rows this fails and changes nothing; fill it in between, or give it a DEFAULT`,
    ),
  };
}

interface Change {
  readonly action: "add column" | "drop column" | "change type" | "set not null";
  readonly table: string;
  /** Qualified. */
  readonly column: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
}

const actions: Readonly<Record<string, Change["action"]>> = {
  AT_AddColumn: "add column",
  AT_DropColumn: "drop column",
  AT_AlterColumnType: "change type",
  AT_SetNotNull: "set not null",
};

function commandsOf({ kind, node }: Statement): Change[] {
  if (kind !== "AlterTableStmt") return [];
  const table = nameOf(node.relation as SqlNode);
  return ((node.cmds ?? []) as { AlterTableCmd?: SqlNode }[]).flatMap(({ AlterTableCmd: command }) => {
    const action = actions[String(command?.subtype)];
    if (action === undefined) return [];
    const definition = (command!.def as { ColumnDef?: SqlNode } | undefined)?.ColumnDef;
    const kinds = ((definition?.constraints ?? []) as { Constraint: SqlNode }[]).map(
      ({ Constraint }) => Constraint.contype,
    );
    const filled = ["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"];
    return [
      {
        action,
        table,
        column: `${table}.${String(command!.name ?? definition?.colname)}`,
        notNull: kinds.includes("CONSTR_NOTNULL"),
        hasDefault: kinds.some((kind) => filled.includes(String(kind))),
      },
    ];
  });
}

const lostWith: Readonly<Record<string, string>> = {
  OBJECT_TABLE: "all rows of",
  OBJECT_SEQUENCE: "the value of",
  OBJECT_SCHEMA: "all that is in schema",
};

function droppedBy({ kind, node }: Statement): string[] {
  const what = kind === "DropStmt" ? lostWith[String(node.removeType)] : undefined;
  return what === undefined ? [] : objectsOf(node).map((name) => `${what} ${name}`);
}

function cameBackEmpty({ kind, node }: Statement): string[] {
  if (kind === "CreateStmt")
    return [`the rows of ${nameOf(node.relation as SqlNode)}, which the migration dropped: the table comes back empty`];
  if (kind !== "CreateTableAsStmt") return [];
  const name = nameOf((node.into as { rel: SqlNode }).rel);
  return [`the rows of ${name}: REFRESH MATERIALIZED VIEW fills it again`];
}

const rowKinds: Readonly<Record<string, string>> = {
  InsertStmt: "inserts rows, which stay where their table stays",
  UpdateStmt: "changes values, which are not as before again",
  DeleteStmt: "deletes rows, which do not come back",
  TruncateStmt: "deletes all rows, which do not come back",
  MergeStmt: "changes rows, which are not as before again",
  CopyStmt: "copies rows in, which stay where their table stays",
  DoStmt: "runs a block: rows that it changes are not as before again",
  CallStmt: "calls a procedure: rows that it changes are not as before again",
};

/** No comparison of schemas can tell how rows were before the migration changed them. */
function rowChanges(forwardSql: string): string[] {
  try {
    return parseSql(forwardSql, { file: "migration", line: 1 }).flatMap(({ kind, line, text }) => {
      const what = rowKinds[kind];
      return what === undefined ? [] : [`line ${line} of the migration ${what}: ${shorten(text, 100)}`];
    });
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    return ["the migration's own SQL could not be parsed, so rows that it changed are not known"];
  }
}

/** Names of what a DROP statement drops, qualified, with the arguments of functions left out. */
export function objectsOf(node: SqlNode): string[] {
  type Part = { String?: { sval: string } };
  type Dropped = {
    List?: { items: Part[] };
    String?: { sval: string };
    TypeName?: { names: Part[] };
    ObjectWithArgs?: { objname: Part[] };
  };
  const words = (parts: readonly Part[]) => parts.map((part) => part.String?.sval ?? "").join(".");
  return ((node.objects ?? []) as Dropped[]).map(
    ({ List, String: text, TypeName, ObjectWithArgs }) =>
      text?.sval ?? words(List?.items ?? TypeName?.names ?? ObjectWithArgs?.objname ?? []),
  );
}

export function nameOf(relation: SqlNode): string {
  return relation.schemaname === undefined ? String(relation.relname) : `${relation.schemaname}.${relation.relname}`;
}
