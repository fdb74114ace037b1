import type { AlterCommand } from "./alter-command.ts";
import { lockReferenced } from "./alter-constraint.ts";
import { addressKey, classOid } from "./dependency-graph.ts";
import { drop } from "./destroy.ts";
import { addDependency, cutDependencies } from "./drop-closure.ts";
import { createdKeys, noteCreated, ownSequence } from "./made.ts";
import { findColumn, findOnRelation, findType } from "./resolve.ts";
import { change, keyOf, lock, lockForRows, noteAbsent, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

export function dropColumn(simulation: Simulation, { relation, family, command, at }: AlterCommand): void {
  const name = command.name as string;
  if (findColumn(simulation, relation, name) === null) {
    noteAbsent(simulation, command, at, `column ${name} of ${relation.schema}.${relation.name} is not there`);
    return;
  }
  const addresses = family.flatMap((each) => {
    const column = findColumn(simulation, each, name);
    return column === null ? [] : [addressKey(classOid.relation, each.objid, column.number)];
  });
  drop(simulation, addresses, command.behavior === "DROP_CASCADE", at);
  for (const each of family) change(simulation, each, `loses column ${name}`);
}

export function addColumn(simulation: Simulation, { relation, family, command, at }: AlterCommand): void {
  const column = (command.def as Node).ColumnDef as Node;
  if (findColumn(simulation, relation, column.colname as string) !== null) {
    noteAbsent(
      simulation,
      command,
      at,
      `column ${column.colname as string} of ${relation.schema}.${relation.name} is already there`,
    );
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
  ownSequence(simulation, relation, column);
  for (const each of nodes(column.constraints)) lockReferenced(simulation, each.Constraint as Node | undefined);
}

export function alterColumnType(simulation: Simulation, { relation, family, command, at }: AlterCommand): void {
  const type = findType(
    simulation,
    ((command.def as Node | undefined)?.ColumnDef as Node | undefined)?.typeName as Node,
  );
  for (const each of family) {
    change(simulation, each, "a column's type is changed");
    lockForRows(simulation, each.objid, "ACCESS EXCLUSIVE", "a column's type is changed");
    const own = findColumn(simulation, each, command.name as string);
    if (own === null) continue;
    const from = addressKey(classOid.relation, each.objid, own.number);
    cutDependencies(simulation.index, from, ({ to }) => to.startsWith(`${classOid.type}/`));
    if (type !== null) addDependency(simulation.index, { from, to: keyOf(type), type: "n" });
  }
  const column = `${relation.name}.${command.name as string}`;
  simulation.opaque.push({ ...at, why: `changing the type of ${column} may rewrite its rows` });
}

export function columnDefault(simulation: Simulation, { relation, family, command, at }: AlterCommand): void {
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

export function dropIdentity(simulation: Simulation, { relation, command }: AlterCommand): void {
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
    lock(
      simulation,
      sequence.objid,
      "ACCESS EXCLUSIVE",
      `column ${column.name} of ${relation.schema}.${relation.name} loses its identity`,
    );
  }
}
