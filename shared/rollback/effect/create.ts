import { addressKey, classOid } from "./dependency-graph.ts";
import { findColumn, findNamed, findOnRelation, findRangeVar, parameterTypes, sameArgs, splitName } from "./resolve.ts";
import { createObject, isGone, keyOf, lock, type Remark, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

type Place = Pick<Remark, "line" | "statement">;
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

function creationSchema(simulation: Simulation, schema: unknown): string {
  return typeof schema === "string" ? schema : (simulation.searchPath[0] ?? "public");
}

/** A new relation: table, view, materialised view, sequence, composite type; `replace` changes the one that is there. */
function makeRelation(
  simulation: Simulation,
  range: Node,
  sub: string,
  kind: string,
  replace: boolean,
  optional: boolean,
  at: Place,
): SimulatedObject | null {
  const existing = findNamed(
    simulation,
    "relation",
    creationSchema(simulation, range.schemaname),
    range.relname as string,
  );
  if (existing !== null) {
    if (replace) {
      if (!existing.created) simulation.changed.set(keyOf(existing), "replaced");
      lock(simulation, existing.objid, "ACCESS EXCLUSIVE", "replaced");
    } else if (!optional)
      simulation.failures.push({ ...at, why: `${existing.schema}.${existing.name} is already there` });
    return replace ? existing : null;
  }
  const schema = creationSchema(simulation, range.schemaname);
  const made = createObject(simulation, { family: "relation", schema, name: range.relname as string, sub });
  if (range.relpersistence !== "t") noteCreated(simulation, kind, made, made.name);
  return made;
}

export function createTable(simulation: Simulation, body: Node, at: Place): void {
  const range = body.relation as Node;
  const made = makeRelation(simulation, range, "r", "TABLE", false, body.if_not_exists === true, at);
  if (made === null) return;
  const list = nodes(body.tableElts)
    .map((each) => each.ColumnDef as Node | undefined)
    .filter((each): each is Node => each !== undefined);
  simulation.columns.set(
    made.objid,
    list.map((column, position) => ({
      relid: made.objid,
      number: position + 1,
      name: column.colname as string,
      typeOid: 0,
      notNull: false,
      generated: "",
      inherited: false,
      created: true,
    })),
  );
  for (const column of list) {
    for (const each of createdKeys.ofColumn(made.name, column)) noteCreated(simulation, each.kind, made, each.name);
    for (const each of nodes(column.constraints)) referenced(simulation, each.Constraint as Node);
    ownSequence(simulation, made, column);
  }
  for (const element of nodes(body.tableElts)) {
    const constraint = element.Constraint as Node | undefined;
    if (constraint === undefined) continue;
    const key = createdKeys.ofConstraint(made.name, constraint);
    if (key !== null) noteCreated(simulation, key.kind, made, key.name);
    referenced(simulation, constraint);
  }
  for (const parent of nodes(body.inhRelations)) {
    const found = findRangeVar(simulation, parent.RangeVar as Node);
    if (found !== null) lock(simulation, found.objid, "SHARE UPDATE EXCLUSIVE", "gains a child table");
  }
}

function ownSequence(simulation: Simulation, table: SimulatedObject, column: Node): void {
  const type = wordsOf((column.typeName as Node | undefined)?.names).at(-1) ?? "";
  const identity = nodes(column.constraints).some((each) => (each.Constraint as Node).contype === "CONSTR_IDENTITY");
  if (!identity && !/^(big|small)?serial[248]?$/.test(type)) return;
  const name = `${table.name}_${column.colname as string}_seq`;
  createObject(simulation, { family: "relation", schema: table.schema, name, sub: "S" });
  noteCreated(simulation, "SEQUENCE", table, name);
  if (identity) return;
  noteCreated(simulation, "SEQUENCE OWNED BY", table, name);
  noteCreated(simulation, "DEFAULT", table, `${table.name} ${column.colname as string}`);
}

function referenced(simulation: Simulation, constraint: Node): void {
  const parent = findRangeVar(simulation, constraint.pktable as Node | undefined);
  if (parent !== null)
    lock(simulation, parent.objid, "SHARE ROW EXCLUSIVE", "foreign-key parent: a foreign key is added");
}

export function createView(simulation: Simulation, body: Node, at: Place): void {
  makeRelation(simulation, body.view as Node, "v", "VIEW", body.replace === true, false, at);
}

export function createTableAs(simulation: Simulation, body: Node, at: Place): void {
  const matview = body.objtype === "OBJECT_MATVIEW";
  const range = (body.into as Node).rel as Node;
  makeRelation(
    simulation,
    range,
    matview ? "m" : "r",
    matview ? "MATERIALIZED VIEW" : "TABLE",
    false,
    body.if_not_exists === true,
    at,
  );
}

export function createSequence(simulation: Simulation, body: Node, at: Place): void {
  makeRelation(simulation, body.sequence as Node, "S", "SEQUENCE", false, body.if_not_exists === true, at);
}

export function createIndex(simulation: Simulation, body: Node, at: Place): void {
  const table = findRangeVar(simulation, body.relation as Node);
  if (table === null) {
    const range = body.relation as Node;
    simulation.failures.push({
      ...at,
      why: `table ${[range.schemaname, range.relname].filter(Boolean).join(".")} is not there`,
    });
    return;
  }
  lock(simulation, table.objid, "SHARE", "an index is built");
  for (const each of nodes(body.indexParams)) {
    const column = (each.IndexElem as Node).name as string | undefined;
    if (column === undefined || table.created || findColumn(simulation, table, column) !== null) continue;
    simulation.failures.push({ ...at, why: `column ${column} of ${table.schema}.${table.name} is not there` });
  }
  const columns = nodes(body.indexParams).map(
    (each) => ((each.IndexElem as Node).name as string | undefined) ?? "expr",
  );
  const name = (body.idxname as string | undefined) ?? `${table.name}_${columns.join("_")}_idx`;
  if (findNamed(simulation, "relation", table.schema, name) !== null) {
    if (body.if_not_exists !== true && body.idxname !== undefined)
      simulation.failures.push({ ...at, why: `${table.schema}.${name} is already there` });
    return;
  }
  createObject(simulation, { family: "relation", schema: table.schema, name, sub: "i", other: table.objid });
  noteCreated(simulation, "INDEX", table, name);
}

export function createType(simulation: Simulation, names: readonly string[], kind: string, at: Place): void {
  const { schema, name } = splitName(names);
  const home = creationSchema(simulation, schema);
  if (findNamed(simulation, "type", home, name) !== null) {
    simulation.failures.push({ ...at, why: `type ${home}.${name} is already there` });
    return;
  }
  noteCreated(simulation, kind, createObject(simulation, { family: "type", schema: home, name }), name);
}

export function createRoutine(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.funcname));
  const home = creationSchema(simulation, schema);
  const args = parameterTypes(simulation, nodes(body.parameters));
  const existing = findNamed(simulation, "routine", home, name, (each) => sameArgs(each.args, args));
  if (existing !== null) {
    if (body.replace !== true) simulation.failures.push({ ...at, why: `function ${home}.${name} is already there` });
    else if (!existing.created) simulation.changed.set(keyOf(existing), "replaced");
    return;
  }
  const kind = body.is_procedure === true ? "PROCEDURE" : "FUNCTION";
  const sub = body.is_procedure === true ? "p" : "f";
  const made = createObject(simulation, { family: "routine", schema: home, name, args, sub });
  noteCreated(simulation, kind, made, `${name}(${args.map((oid) => typeName(simulation, oid)).join(", ")})`);
}

function typeName(simulation: Simulation, oid: number): string {
  return simulation.byAddress.get(addressKey(classOid.type, oid))?.name ?? "?";
}

/** A trigger, policy or rule on a relation. */
export function createOnRelation(
  simulation: Simulation,
  family: "trigger" | "policy" | "rule",
  range: Node,
  name: string,
  replace: boolean,
  at: Place,
): void {
  const table = findRangeVar(simulation, range);
  if (table === null) {
    simulation.failures.push({
      ...at,
      why: `${[range.schemaname, range.relname].filter(Boolean).join(".")} is not there`,
    });
    return;
  }
  lock(simulation, table.objid, family === "trigger" ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE", `gains a ${family}`);
  const existing = findOnRelation(simulation, family, table, name);
  if (existing !== null) {
    if (!replace) simulation.failures.push({ ...at, why: `${family} ${name} on ${table.name} is already there` });
    else if (!isGone(simulation, existing)) simulation.changed.set(keyOf(existing), "replaced");
    return;
  }
  createObject(simulation, { family, schema: null, name, relid: table.objid });
  noteCreated(simulation, family.toUpperCase(), table, `${table.name} ${name}`);
}

/** An object named by one name: schema, extension, publication... */
export function createNamed(
  simulation: Simulation,
  family: string,
  kind: string,
  name: string,
  optional: boolean,
  at: Place,
): void {
  if (findNamed(simulation, family, null, name) !== null) {
    if (!optional) simulation.failures.push({ ...at, why: `${family} ${name} is already there` });
    return;
  }
  noteCreated(simulation, kind, createObject(simulation, { family, schema: null, name }), name);
}
