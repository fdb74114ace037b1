import { opaqueReason } from "./opaque.ts";
import { findRangeVar } from "./resolve.ts";
import { rowStatement } from "./rows.ts";
import { lock, type Place, type Simulation } from "./simulation.ts";
import { type Node, nodes } from "./sql-nodes.ts";

const writing = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];

/**
 * A query: what its WITH parts write, the sequences that it sets, and nothing where it only reads tables. Any other
 * function that it calls, and any view that it reads, could write.
 */
export function selectStatement(simulation: Simulation, body: Node, at: Place): void {
  const found: Found = { writes: [], calls: [], reads: [], parts: new Set() };
  collect(body, found);
  for (const [kind, each] of found.writes) rowStatement(simulation, kind, each, at);
  const unknown = found.calls.filter((call) => !setsSequence(simulation, call));
  const reads = found.reads.filter(
    (range) => range.schemaname !== undefined || !found.parts.has(range.relname as string),
  );
  const plain = reads.every((range) => "rpm".includes(findRangeVar(simulation, range)?.sub ?? "?"));
  if (unknown.length > 0 || !plain) simulation.opaque.push({ ...at, why: opaqueReason("SelectStmt", body) });
}

/** EXPLAIN runs nothing; EXPLAIN ANALYZE runs what it explains. */
export function explainedStatement(body: Node): [kind: string, node: Node] | null {
  const analyze = nodes(body.options).some((each) => (each.DefElem as Node | undefined)?.defname === "analyze");
  return analyze ? (Object.entries(body.query as Node)[0] as [string, Node]) : null;
}

interface Found {
  readonly writes: [string, Node][];
  readonly calls: Node[];
  readonly reads: Node[];
  /** Names of WITH parts. */
  readonly parts: Set<string>;
}

function collect(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const each of value) collect(each, found);
  else if (value !== null && typeof value === "object")
    for (const [kind, body] of Object.entries(value as Node)) {
      if (writing.includes(kind)) found.writes.push([kind, body as Node]);
      else if (kind === "FuncCall") found.calls.push(body as Node);
      else if (kind === "CommonTableExpr") found.parts.add((body as Node).ctename as string);
      else if (kind === "RangeVar") found.reads.push(body as Node);
      collect(body, found);
    }
}

/** `setval('s', 1)` and `nextval('s')`: the old value goes, and is archived. */
function setsSequence(simulation: Simulation, call: Node): boolean {
  const names = nodes(call.funcname).map((each) => (each.String as Node | undefined)?.sval);
  if (!["setval", "nextval"].includes(String(names.at(-1)))) return false;
  if (names.length > 1 && names[0] !== "pg_catalog") return false;
  const range = sequenceName(nodes(call.args)[0]);
  const sequence = range === null ? null : findRangeVar(simulation, range);
  if (sequence?.sub !== "S") return false;
  if (sequence.created) return true;
  simulation.valued.add(sequence.objid);
  lock(simulation, sequence.objid, "ROW EXCLUSIVE", "its value is set");
  return nodes(call.args)
    .slice(1)
    .every((each) => !JSON.stringify(each).includes('"FuncCall"'));
}

/** The sequence that a literal names, with or without a cast to regclass; quoted names are left to the execution. */
function sequenceName(argument: Node | undefined): Node | null {
  const constant = ((argument?.TypeCast as Node | undefined)?.arg as Node | undefined)?.A_Const ?? argument?.A_Const;
  const text = ((constant as Node | undefined)?.sval as Node | undefined)?.sval;
  const parts =
    typeof text === "string" && /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)?$/.test(text) ? text.split(".") : [];
  if (parts.length === 0) return null;
  return { relname: parts.at(-1), ...(parts.length > 1 ? { schemaname: parts[0] } : {}) };
}
