import type { Place, Simulation } from "./simulation.ts";
import { type Node, nodes } from "./sql-nodes.ts";

/** Statements that call the functions in them. */
const calling = new Set(["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

const writing = new Set([
  ...["lo_unlink", "lo_put", "lowrite", "lo_truncate", "lo_truncate64"],
  ...["lo_create", "lo_creat", "lo_from_bytea", "lo_import"],
]);

/** Large objects are in no rollback's archive: a statement that plainly writes or removes some is refused before it runs. */
export function refuseLargeObjects(simulation: Simulation, kind: string, body: Node, at: Place): void {
  if (!calling.has(kind)) return;
  for (const name of new Set(calls(body)))
    simulation.unsupported.push({
      ...at,
      why: `${name} writes or removes large objects, which no rollback's archive holds: do it by hand after a belay dump, which holds them`,
    });
}

function calls(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(calls);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value as Node).flatMap(([kind, body]) => {
    const own = kind === "FuncCall" ? writingName(body as Node) : null;
    return own === null ? calls(body) : [own, ...calls(body)];
  });
}

function writingName(call: Node): string | null {
  const names = nodes(call.funcname).map((each) => String((each.String as Node | undefined)?.sval));
  const name = names.at(-1)!;
  return writing.has(name) && (names.length === 1 || names[0] === "pg_catalog") ? name : null;
}
