import { createObject, keyOf, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

interface Made {
  readonly kind: string;
  readonly name: string;
}

/** Notes an entry that the SQL creates; on an object of its own making the object's drop takes it away again. */
export function noteCreated(
  simulation: Simulation,
  kind: string,
  owner: SimulatedObject,
  name: string,
  role?: string,
): void {
  const key = [kind, owner.schema, name, role].join("\0");
  simulation.created.set(key, { kind, schema: owner.schema, name, owner: keyOf(owner), role });
}

function constraintName(table: string, constraint: Node): string | null {
  if (typeof constraint.conname === "string") return constraint.conname;
  if (constraint.contype === "CONSTR_PRIMARY") return defaultName(table, "", "pkey");
  const columns = wordsOf(constraint.contype === "CONSTR_FOREIGN" ? constraint.fk_attrs : constraint.keys);
  if (columns.length === 0) return null;
  return defaultName(table, columns.join("_"), constraint.contype === "CONSTR_FOREIGN" ? "fkey" : "key");
}

const longestName = 63;

/** `table_columns_label` as the server makes it: of a name that is too long, the longer part is cut (makeObjectName). */
export function defaultName(table: string, columns: string, label: string): string {
  const parts = columns === "" ? [bytes(table)] : [bytes(table), bytes(columns)];
  const room = longestName - label.length - parts.length;
  const lengths = parts.map(({ length }) => length);
  while (lengths.reduce((sum, length) => sum + length, 0) > room)
    if (lengths.length === 1 || lengths[0]! > lengths[1]!) lengths[0]!--;
    else lengths[1]!--;
  return [...parts.map((part, index) => wholeLetters(part, lengths[index]!)), label].join("_");
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Cut before a letter that would be cut through. */
function wholeLetters(text: Uint8Array, length: number): string {
  let end = length;
  while (end < text.length && (text[end]! & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(text.subarray(0, end));
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

/** The sequence that comes with a serial or identity column, its owner and the default. */
export function ownSequence(simulation: Simulation, table: SimulatedObject, column: Node): void {
  const type = wordsOf((column.typeName as Node | undefined)?.names).at(-1) ?? "";
  const identity = nodes(column.constraints).some((each) => (each.Constraint as Node).contype === "CONSTR_IDENTITY");
  if (!identity && !/^(big|small)?serial[248]?$/.test(type)) return;
  const name = defaultName(table.name, column.colname as string, "seq");
  createObject(simulation, { family: "relation", schema: table.schema, name, sub: "S" });
  noteCreated(simulation, "SEQUENCE", table, name);
  if (identity) return;
  noteCreated(simulation, "SEQUENCE OWNED BY", table, name);
  noteCreated(simulation, "DEFAULT", table, `${table.name} ${column.colname as string}`);
}
