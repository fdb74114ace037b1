import { lockReferenced } from "./alter-constraint.ts";
import { creationSchema } from "./create-object.ts";
import { createdKeys, defaultName, noteCreated, ownSequence } from "./made.ts";
import { findColumn, findNamed, findRangeVar } from "./resolve.ts";
import {
  createObject,
  keyOf,
  lock,
  lockForRows,
  type Place,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";
import { type Node, nodes, rangeName } from "./sql-nodes.ts";

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
      lockForRows(simulation, existing.objid, "ACCESS EXCLUSIVE", "replaced");
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
  const names = nodes(body.tableElts).flatMap((each) => {
    if (each.TableLikeClause !== undefined) return copiedColumns(simulation, each.TableLikeClause as Node, made, at);
    return each.ColumnDef === undefined ? [] : [(each.ColumnDef as Node).colname as string];
  });
  simulation.columns.set(
    made.objid,
    names.map((name, position) => ({
      relid: made.objid,
      number: position + 1,
      name,
      typeOid: 0,
      notNull: false,
      generated: "",
      inherited: false,
      created: true,
    })),
  );
  for (const column of list) {
    for (const each of createdKeys.ofColumn(made.name, column)) noteCreated(simulation, each.kind, made, each.name);
    for (const each of nodes(column.constraints)) lockReferenced(simulation, each.Constraint as Node);
    ownSequence(simulation, made, column);
  }
  for (const element of nodes(body.tableElts)) {
    const constraint = element.Constraint as Node | undefined;
    if (constraint === undefined) continue;
    const key = createdKeys.ofConstraint(made.name, constraint);
    if (key !== null) noteCreated(simulation, key.kind, made, key.name);
    lockReferenced(simulation, constraint);
  }
  for (const parent of nodes(body.inhRelations)) {
    const found = findRangeVar(simulation, parent.RangeVar as Node);
    if (found !== null) lock(simulation, found.objid, "SHARE UPDATE EXCLUSIVE", "gains a child table");
  }
}

/** Columns that LIKE gives a table; what else it copies gets names that the server chooses. */
function copiedColumns(simulation: Simulation, like: Node, made: SimulatedObject, at: Place): string[] {
  const range = like.relation as Node;
  const source = findRangeVar(simulation, range);
  if (source === null) {
    simulation.failures.push({ ...at, why: `table ${rangeName(range)} is not there` });
    return [];
  }
  if (Number(like.options ?? 0) !== 0)
    simulation.opaque.push({
      ...at,
      why: `${made.schema}.${made.name} is made like ${source.schema}.${source.name}: under which names its indexes and constraints are copied shows only when it runs`,
    });
  return (simulation.columns.get(source.objid) ?? []).map(({ name }) => name);
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
    simulation.failures.push({ ...at, why: `table ${rangeName(body.relation as Node)} is not there` });
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
  const name = (body.idxname as string | undefined) ?? defaultName(table.name, columns.join("_"), "idx");
  if (findNamed(simulation, "relation", table.schema, name) !== null) {
    if (body.if_not_exists !== true && body.idxname !== undefined)
      simulation.failures.push({ ...at, why: `${table.schema}.${name} is already there` });
    return;
  }
  createObject(simulation, { family: "relation", schema: table.schema, name, sub: "i", other: table.objid });
  noteCreated(simulation, "INDEX", table, name);
}
