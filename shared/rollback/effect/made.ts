import { keyOf, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

interface Made {
  readonly kind: string;
  readonly name: string;
}

/** Notes an entry that the SQL creates; on an object of its own making the object's drop takes it away again. */
export function noteCreated(simulation: Simulation, kind: string, owner: SimulatedObject, name: string): void {
  const key = `${kind}\0${owner.schema}\0${name}`;
  simulation.created.set(key, { kind, schema: owner.schema, name, owner: keyOf(owner) });
}

function constraintName(table: string, constraint: Node): string | null {
  if (typeof constraint.conname === "string") return constraint.conname;
  if (constraint.contype === "CONSTR_PRIMARY") return `${table}_pkey`;
  const columns = wordsOf(constraint.contype === "CONSTR_FOREIGN" ? constraint.fk_attrs : constraint.keys);
  if (columns.length === 0) return null;
  return `${table}_${columns.join("_")}_${constraint.contype === "CONSTR_FOREIGN" ? "fkey" : "key"}`;
}

const constraintKinds: Record<string, string> = {
  CONSTR_PRIMARY: "CONSTRAINT",
  CONSTR_UNIQUE: "CONSTRAINT",
  CONSTR_EXCLUSION: "CONSTRAINT",
  CONSTR_FOREIGN: "FK CONSTRAINT",
};

/** Keys of the entries that a table's parts become, named as the server names them by default. */
export const createdKeys = {
  ofConstraint(table: string, constraint: Node): Made | null {
    const kind =
      constraint.contype === "CONSTR_CHECK" && constraint.skip_validation === true
        ? "CHECK CONSTRAINT"
        : constraintKinds[constraint.contype as string];
    const name = constraintName(table, constraint);
    return kind === undefined || name === null ? null : { kind, name: `${table} ${name}` };
  },
  ofColumn(table: string, column: Node): Made[] {
    return nodes(column.constraints).flatMap((each) => {
      const constraint = each.Constraint as Node;
      const own = { String: { sval: column.colname as string } };
      return createdKeys.ofConstraint(table, { ...constraint, keys: [own], fk_attrs: [own] }) ?? [];
    });
  },
};
