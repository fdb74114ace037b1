import { createdKeys, noteCreated } from "./create.ts";
import { type AddressKey, addressKey, classOid } from "./dependency-graph.ts";
import { findTarget, namedFamilies, words } from "./drop.ts";
import { wholeOf } from "./drop-closure.ts";
import type { LockMode } from "./lock-modes.ts";
import { descendants, findColumn, findNamed, findOnRelation, findRangeVar, findType, splitName } from "./resolve.ts";
import {
  drop,
  isGone,
  keyOf,
  lock,
  type Remark,
  refuseOwnRecords,
  relationByOid,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

type Place = Pick<Remark, "line" | "statement">;

const weakerCommands: Record<string, LockMode> = {
  AT_SetStatistics: "SHARE UPDATE EXCLUSIVE",
  AT_ValidateConstraint: "SHARE UPDATE EXCLUSIVE",
  AT_ClusterOn: "SHARE UPDATE EXCLUSIVE",
  AT_DropCluster: "SHARE UPDATE EXCLUSIVE",
  AT_SetRelOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetRelOptions: "SHARE UPDATE EXCLUSIVE",
  AT_SetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_AttachPartition: "SHARE UPDATE EXCLUSIVE",
};

/** ALTER TABLE and its kin (views, indexes, sequences, composite types), command by command. */
export function alterTable(simulation: Simulation, body: Node, at: Place): void {
  const range = body.relation as Node | undefined;
  const relation = findRangeVar(simulation, range);
  if (relation === null) {
    const why = `${words((body.objtype as string) ?? "OBJECT_TABLE")} ${rangeName(range)} is not there`;
    (body.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  refuseOwnRecords(simulation, relation, at);
  for (const each of nodes(body.cmds)) {
    const command = each.AlterTableCmd as Node;
    lockFor(simulation, relation, command);
    alterCommand(simulation, relation, command, range?.inh !== false, at);
  }
}

function lockFor(simulation: Simulation, relation: SimulatedObject, command: Node): void {
  const oid = relation.sub === "i" || relation.sub === "I" ? relation.other : relation.objid;
  const constraint = (command.def as Node | undefined)?.Constraint as Node | undefined;
  const addsForeignKey = command.subtype === "AT_AddConstraint" && constraint?.contype === "CONSTR_FOREIGN";
  const mode = addsForeignKey
    ? "SHARE ROW EXCLUSIVE"
    : (weakerCommands[command.subtype as string] ?? "ACCESS EXCLUSIVE");
  lock(simulation, oid, mode, "altered");
}

type CommandHandler = (
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
) => void;

function alterCommand(
  simulation: Simulation,
  relation: SimulatedObject,
  command: Node,
  inherit: boolean,
  at: Place,
): void {
  const family = inherit ? [relation, ...relatives(simulation, relation)] : [relation];
  if (namesAbsentColumn(simulation, relation, command, at)) return;
  const handler = commandHandlers[command.subtype as string];
  if (handler !== undefined) handler(simulation, relation, family, command, at);
  else for (const each of family) change(simulation, each, "altered");
}

const onColumns = new Set([
  "AT_SetNotNull",
  "AT_DropNotNull",
  "AT_ColumnDefault",
  "AT_AlterColumnType",
  "AT_DropIdentity",
]);

function namesAbsentColumn(simulation: Simulation, relation: SimulatedObject, command: Node, at: Place): boolean {
  if (!onColumns.has(command.subtype as string)) return false;
  if (findColumn(simulation, relation, command.name as string) !== null) return false;
  const why = `column ${command.name as string} of ${relation.schema}.${relation.name} is not there`;
  (command.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
  return true;
}

const commandHandlers: Readonly<Record<string, CommandHandler>> = {
  AT_DropColumn: dropColumn,
  AT_DropConstraint: dropConstraint,
  AT_ColumnDefault: columnDefault,
  AT_AddColumn: addColumn,
  AT_AddConstraint: (simulation, relation, family, command) =>
    addConstraint(simulation, relation, family, (command.def as Node).Constraint as Node),
  AT_EnableRowSecurity: (simulation, relation) => noteCreated(simulation, "ROW SECURITY", relation, relation.name),
  AT_DisableRowSecurity: (simulation, relation) => void simulation.unguarded.add(keyOf(relation)),
  AT_AlterColumnType: alterColumnType,
  AT_DropIdentity: dropIdentity,
  AT_AttachPartition: attachOrDetach,
  AT_DetachPartition: attachOrDetach,
  AT_AddInherit: attachOrDetach,
  AT_DropInherit: attachOrDetach,
};

function alterColumnType(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  for (const each of family) change(simulation, each, "a column's type is changed");
  const column = `${relation.name}.${command.name as string}`;
  simulation.opaque.push({ ...at, why: `changing the type of ${column} may rewrite its rows` });
}

function relatives(simulation: Simulation, relation: SimulatedObject): SimulatedObject[] {
  return descendants(simulation, relation.objid)
    .map((oid) => relationByOid(simulation, oid))
    .filter((each): each is SimulatedObject => each !== undefined && !isGone(simulation, each));
}

export function change(simulation: Simulation, object: SimulatedObject, why: string): void {
  if (!isGone(simulation, object) && !object.created) simulation.changed.set(keyOf(object), why);
}

function dropColumn(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  const name = command.name as string;
  if (findColumn(simulation, relation, name) === null) {
    const why = `column ${name} of ${relation.schema}.${relation.name} is not there`;
    (command.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  const addresses = family.flatMap((each) => {
    const column = findColumn(simulation, each, name);
    return column === null ? [] : [addressKey(classOid.relation, each.objid, column.number)];
  });
  drop(simulation, addresses, command.behavior === "DROP_CASCADE", at);
  for (const each of family) change(simulation, each, `loses column ${name}`);
}

function dropConstraint(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  const name = command.name as string;
  const found = family.flatMap((each) => findOnRelation(simulation, "constraint", each, name) ?? []);
  const own = found.find((each) => each.relid === relation.objid);
  if (own === undefined) {
    const why = `constraint ${name} of ${relation.schema}.${relation.name} is not there`;
    (command.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  // Only checks and NOT NULLs go down to children by name; the others by pg_depend.
  const named = own.sub === "c" || own.sub === "n" ? found : [own];
  drop(simulation, named.map(keyOf), command.behavior === "DROP_CASCADE", at);
  if (own.sub === "c" || own.sub === "n")
    for (const each of family) change(simulation, each, `loses constraint ${name}`);
}

function columnDefault(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  for (const each of family) {
    const column = findColumn(simulation, each, command.name as string);
    const set = column && findOnRelation(simulation, "default", each, String(column.number));
    if (set) drop(simulation, [keyOf(set)], false, at);
    change(simulation, each, `default of ${command.name as string}`);
  }
  if (takesFromSequence(command.def))
    noteCreated(simulation, "DEFAULT", relation, `${relation.name} ${command.name as string}`);
}

/** A default that takes from a sequence is an entry of its own where the sequence is owned by its table. */
function takesFromSequence(expression: unknown): boolean {
  const call = (expression as Node | undefined)?.FuncCall as Node | undefined;
  return wordsOf(call?.funcname).at(-1) === "nextval";
}

function addColumn(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  const column = (command.def as Node).ColumnDef as Node;
  if (findColumn(simulation, relation, column.colname as string) !== null) {
    const why = `column ${column.colname as string} of ${relation.schema}.${relation.name} is already there`;
    (command.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  for (const each of family) {
    change(simulation, each, `gains column ${column.colname as string}`);
    const columns = simulation.columns.get(each.objid) ?? [];
    columns.push({
      relid: each.objid,
      number: simulation.nextOid-- + 1_000_000,
      name: column.colname as string,
      typeOid: findType(simulation, column.typeName as Node)?.objid ?? 0,
      notNull: false,
      generated: "",
      inherited: each !== relation,
      created: true,
    });
    simulation.columns.set(each.objid, columns);
  }
  for (const created of createdKeys.ofColumn(relation.name, column))
    noteCreated(simulation, created.kind, relation, created.name);
  for (const each of nodes(column.constraints)) lockReferenced(simulation, each.Constraint as Node | undefined);
}

function addConstraint(
  simulation: Simulation,
  relation: SimulatedObject,
  family: readonly SimulatedObject[],
  constraint: Node,
): void {
  const created = createdKeys.ofConstraint(relation.name, constraint);
  if (created === null) for (const each of family) change(simulation, each, "gains a constraint");
  else noteCreated(simulation, created.kind, relation, created.name);
  lockReferenced(simulation, constraint);
}

function lockReferenced(simulation: Simulation, constraint: Node | undefined): void {
  const parent = findRangeVar(simulation, constraint?.pktable as Node | undefined);
  if (parent !== null)
    lock(simulation, parent.objid, "SHARE ROW EXCLUSIVE", "foreign-key parent: a foreign key is added");
}

function dropIdentity(
  simulation: Simulation,
  relation: SimulatedObject,
  _family: readonly SimulatedObject[],
  command: Node,
  at: Place,
): void {
  const column = findColumn(simulation, relation, command.name as string);
  change(simulation, relation, `identity of ${command.name as string}`);
  if (column === null) return;
  const owned = simulation.graph.dependencies.filter(
    (each) => each.to === addressKey(classOid.relation, relation.objid, column.number) && each.type === "i",
  );
  // The sequence goes with the identity; seen from the column it is internal, so it is named here with its owner.
  for (const each of owned) {
    const sequence = simulation.byAddress.get(each.from);
    if (sequence?.sub !== "S") continue;
    simulation.gone.set(each.from, "automatic");
    lock(simulation, sequence.objid, "ACCESS EXCLUSIVE", `identity of ${relation.name} at line ${at.line}`);
  }
}

function attachOrDetach(
  simulation: Simulation,
  relation: SimulatedObject,
  _family: readonly SimulatedObject[],
  command: Node,
): void {
  const definition = command.def as Node | undefined;
  const range = ((definition?.PartitionCmd as Node | undefined)?.name ?? definition?.RangeVar ?? definition) as Node;
  const other = findRangeVar(simulation, range);
  const subtype = command.subtype as string;
  if (subtype === "AT_AddInherit" || subtype === "AT_DropInherit") change(simulation, relation, "its parents change");
  if (other === null) return;
  if (subtype === "AT_DetachPartition") simulation.detached.add(other.objid);
  if (subtype === "AT_AttachPartition") noteCreated(simulation, "TABLE ATTACH", other, other.name);
  lock(simulation, other.objid, "ACCESS EXCLUSIVE", "attached or detached");
}

/** RENAME of anything: the same object goes on under another key. */
export function renameStatement(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.renameType as string;
  const found = renameTarget(simulation, body, objectType);
  if (found === null || found === undefined) {
    const why = `${words(objectType)} ${rangeName(body.relation as Node | undefined)} is not there`;
    (body.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  const newName = body.newname as string;
  if (objectType === "OBJECT_COLUMN" || objectType === "OBJECT_ATTRIBUTE") {
    for (const each of [found, ...relatives(simulation, found)]) {
      const column = findColumn(simulation, each, body.subname as string);
      if (column === null) continue;
      column.name = newName;
      lock(simulation, each.objid, "ACCESS EXCLUSIVE", "a column is renamed");
      change(simulation, each, "a column is renamed");
      touchDependents(simulation, addressKey(classOid.relation, each.objid, column.number));
    }
    return;
  }
  touchDependents(simulation, keyOf(found));
  simulation.renamed.add(keyOf(found));
  change(simulation, found, `renamed to ${newName}`);
  const owner =
    found.relid !== null && found.family !== "type" ? found.relid : found.family === "relation" ? found.objid : 0;
  if (relationByOid(simulation, owner) !== undefined) lock(simulation, owner, "ACCESS EXCLUSIVE", "renamed");
  renameTwins(simulation, found, newName);
  if (found.family === "schema")
    for (const list of simulation.byFamily.values())
      for (const each of list)
        if (each.schema === found.name) {
          each.schema = newName;
          simulation.renamed.add(keyOf(each));
        }
  found.name = newName;
}

/** A constraint and its index, a table and its row type share a name. */
function renameTwins(simulation: Simulation, object: SimulatedObject, newName: string): void {
  const twins =
    object.family === "constraint"
      ? (simulation.byFamily.get("relation") ?? []).filter((each) => each.objid === object.args[0])
      : (simulation.byFamily.get("constraint") ?? []).filter(
          (each) => object.family === "relation" && "iI".includes(object.sub) && each.args[0] === object.objid,
        );
  const rows = (simulation.byFamily.get("type") ?? []).filter(
    (each) => object.family === "relation" && each.relid === object.objid,
  );
  for (const twin of [...twins, ...rows]) {
    twin.name = newName;
    simulation.renamed.add(keyOf(twin));
  }
}

function renameTarget(simulation: Simulation, body: Node, objectType: string): SimulatedObject | null | undefined {
  const range = body.relation as Node | undefined;
  const part = {
    OBJECT_TRIGGER: "trigger",
    OBJECT_POLICY: "policy",
    OBJECT_RULE: "rule",
    OBJECT_TABCONSTRAINT: "constraint",
  };
  const family = (part as Record<string, string>)[objectType];
  if (family !== undefined)
    return findOnRelation(simulation, family, findRangeVar(simulation, range), body.subname as string);
  if (range !== undefined) return findRangeVar(simulation, range);
  if (body.object !== undefined) return findTarget(simulation, objectType, body.object as Node);
  const named = namedFamilies[objectType];
  return named === undefined ? undefined : findNamed(simulation, named, null, body.subname as string);
}

/** Views, policies and foreign keys are worded with the names that they use. */
function touchDependents(simulation: Simulation, key: AddressKey): void {
  for (const { from } of simulation.index.dependents.get(key) ?? []) {
    const dependent = simulation.byAddress.get(wholeOf(from));
    if (dependent === undefined || (dependent.family === "relation" && !"vmiI".includes(dependent.sub))) continue;
    simulation.touched.add(keyOf(dependent));
    const view =
      dependent.family === "rule" && dependent.relid !== null ? relationByOid(simulation, dependent.relid) : undefined;
    if (view !== undefined) simulation.touched.add(keyOf(view));
  }
}

export function setSchema(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.objectType as string;
  const range = body.relation as Node | undefined;
  const found =
    range !== undefined ? findRangeVar(simulation, range) : findTarget(simulation, objectType, body.object as Node);
  if (!found) {
    const why = `${words(objectType)} ${rangeName(range)} is not there`;
    (body.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  const schema = body.newschema as string;
  touchDependents(simulation, keyOf(found));
  change(simulation, found, `moved to schema ${schema}`);
  simulation.renamed.add(keyOf(found));
  if (found.family === "relation") {
    lock(simulation, found.objid, "ACCESS EXCLUSIVE", "moved to another schema");
    for (const each of parts(simulation, found)) {
      each.schema = schema;
      if (each.sub === "S") lock(simulation, each.objid, "ACCESS EXCLUSIVE", "moved to another schema");
      simulation.renamed.add(keyOf(each));
    }
  }
  found.schema = schema;
}

/** Indexes, row type, owned sequences and constraints move with their table. */
function parts(simulation: Simulation, relation: SimulatedObject): SimulatedObject[] {
  const families = ["relation", "type", "constraint"].flatMap((family) => simulation.byFamily.get(family) ?? []);
  const owned = new Set(
    (simulation.index.dependents.get(keyOf(relation)) ?? [])
      .filter((each) => each.type !== "n")
      .map((each) => each.from),
  );
  return families.filter(
    (each) =>
      (each.family === "relation" && each.other === relation.objid && "iI".includes(each.sub)) ||
      (each.family !== "relation" && each.relid === relation.objid) ||
      (each.sub === "S" && owned.has(keyOf(each))),
  );
}

export function alterEnum(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.typeName));
  const type = findNamed(simulation, "type", schema, name);
  if (type === null) simulation.failures.push({ ...at, why: `type ${wordsOf(body.typeName).join(".")} is not there` });
  else change(simulation, type, "an enum's labels are changed");
  if (body.oldVal !== undefined)
    simulation.opaque.push({ ...at, why: "renaming an enum label changes the rows that hold it without writing them" });
}

export function rangeName(range: Node | undefined): string {
  if (range === undefined) return "";
  return [range.schemaname, range.relname].filter(Boolean).join(".");
}
