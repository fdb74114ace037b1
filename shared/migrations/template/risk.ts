import type { Risk } from "../../rollback/types.ts";
import type { SqlNode, Statement } from "../../sql/parse.ts";
import { plural } from "../../words.ts";
import { type LossNotes, nameOf, objectsOf } from "./loss.ts";

/** How bad it would be if a rollback went wrong, as far as its text tells; worst reasons first. */
export interface TextRisk {
  readonly risk: Risk;
  readonly reasons: readonly string[];
}

const order: readonly Risk[] = ["LOW", "MEDIUM", "HIGH"];

const kinds = {
  policy: new Set(["OBJECT_POLICY"]),
  guard: new Set(["OBJECT_TRIGGER", "OBJECT_RULE"]),
  used: new Set([
    "OBJECT_VIEW",
    "OBJECT_MATVIEW",
    "OBJECT_FUNCTION",
    "OBJECT_PROCEDURE",
    "OBJECT_ROUTINE",
    "OBJECT_AGGREGATE",
  ]),
};

/** Judges rollback SQL without a database: rows that may be there count as there. */
export function riskOfText(
  statements: readonly Statement[],
  { destroys, notBroughtBack, failsOn }: LossNotes,
): TextRisk {
  const gone = new Set(
    statements
      .filter(({ kind, node }) => kind === "DropStmt" && node.removeType === "OBJECT_TABLE")
      .flatMap(({ node }) => objectsOf(node)),
  );
  const dropped = statements
    .filter(({ kind }) => kind === "DropStmt")
    .map(({ node }) => ({ type: String(node.removeType), names: objectsOf(node) }));
  const ofWhatStays = (types: ReadonlySet<string>) =>
    dropped
      .filter(({ type }) => types.has(type))
      .flatMap(({ names }) => names.filter((name) => !gone.has(tableOf(name))));
  const policies = ofWhatStays(kinds.policy).length;
  const guards = ofWhatStays(kinds.guard).length + alterations(statements, "AT_DropConstraint", gone);
  const used = dropped.filter(({ type }) => kinds.used.has(type)).flatMap(({ names }) => names).length;
  const open = alterations(statements, "AT_DisableRowSecurity", gone);
  const grants = statements.filter(({ kind }) => kind === "GrantStmt").length;
  const reasons: (readonly [Risk, string, boolean])[] = [
    ["HIGH", goes(destroys), destroys.length > 0],
    [
      "MEDIUM",
      `${plural(policies, "policy of a table that stays goes", "policies of tables that stay go")}: check who may read it then`,
      policies > 0,
    ],
    ["MEDIUM", `row-level security is switched off on ${plural(open, "table")}`, open > 0],
    [
      "MEDIUM",
      `${plural(guards, "constraint or trigger of what stays goes", "constraints and triggers of what stays go")}`,
      guards > 0,
    ],
    [
      "MEDIUM",
      plural(
        used,
        "view or function that applications may use goes",
        "views or functions that applications may use go",
      ),
      used > 0,
    ],
    ["MEDIUM", "grants change: check who may read and write then", grants > 0],
    ["MEDIUM", "it fails where there are rows, and has to be completed by hand first", failsOn.length > 0],
    ["MEDIUM", "not all that the migration changed comes back", notBroughtBack.length > 0],
  ];
  const holding = reasons.filter(([, , holds]) => holds);
  const risk = holding.reduce<Risk>(
    (worst, [level]) => (order.indexOf(level) > order.indexOf(worst) ? level : worst),
    "LOW",
  );
  return { risk, reasons: holding.length > 0 ? holding.map(([, reason]) => reason) : ["nothing is lost"] };
}

/** The words of a plan, without its numbers: no database says how many rows there are. */
function goes(destroys: readonly string[]): string {
  const count = (start: string) => destroys.filter((one) => one.startsWith(start)).length;
  const [tables, columns, sequences] = [count("all rows of "), count("the values of "), count("the value of ")];
  const rest = destroys.length - tables - columns - sequences;
  const parts = [
    ...(tables > 0 ? [`all rows of ${plural(tables, "table")}`] : []),
    ...(columns > 0 ? [`the values of ${plural(columns, "column")}`] : []),
    ...(sequences > 0 ? [`the value of ${plural(sequences, "sequence")}`] : []),
    ...(rest > 0 && rest === destroys.length ? destroys : rest > 0 ? ["more"] : []),
  ];
  return `${parts.join(" and ")} ${destroys.length === 1 && tables + columns === 0 ? "goes" : "go"}`;
}

function tableOf(name: string): string {
  return name.split(".").slice(0, -1).join(".");
}

function alterations(statements: readonly Statement[], subtype: string, gone: ReadonlySet<string>): number {
  return statements
    .filter(({ kind, node }) => kind === "AlterTableStmt" && !gone.has(nameOf(node.relation as SqlNode)))
    .flatMap(({ node }) => (node.cmds ?? []) as { AlterTableCmd?: SqlNode }[])
    .filter(({ AlterTableCmd }) => AlterTableCmd?.subtype === subtype).length;
}
