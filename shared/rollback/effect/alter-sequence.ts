import type { AlterCommand } from "./alter-command.ts";
import { addressKey, classOid } from "./dependency-graph.ts";
import { addDependency, cutDependencies, wholeOf } from "./drop-closure.ts";
import { noteCreated } from "./made.ts";
import { findColumn, findRangeVar, findRelation, splitName } from "./resolve.ts";
import {
  change,
  keyOf,
  lock,
  noteAbsent,
  type Place,
  relationByOid,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";
import { type Node, nodes, rangeName, wordsOf } from "./sql-nodes.ts";

function restarts(options: readonly Node[]): boolean {
  return options.some(({ defname }) => defname === "restart");
}

/** ALTER TABLE ... ALTER COLUMN ... RESTART and SET of an identity column's sequence. */
export function alterIdentity(simulation: Simulation, { relation, command }: AlterCommand): void {
  change(simulation, relation, `identity of ${command.name as string}`);
  const column = findColumn(simulation, relation, command.name as string);
  const options = (((command.def as Node | undefined)?.List as Node | undefined)?.items as Node[] | undefined) ?? [];
  if (column === null) return;
  for (const sequence of ownedSequences(simulation, relation, column.number)) {
    lock(simulation, sequence.objid, "SHARE ROW EXCLUSIVE", "altered");
    change(simulation, sequence, "altered");
    if (restarts(options.map((each) => each.DefElem as Node))) simulation.valued.add(sequence.objid);
  }
}

/** TRUNCATE ... RESTART IDENTITY: all sequences that the table's columns own. */
export function restartSequences(simulation: Simulation, table: SimulatedObject): void {
  for (const sequence of ownedSequences(simulation, table)) {
    lock(simulation, sequence.objid, "ACCESS EXCLUSIVE", "restarted");
    simulation.valued.add(sequence.objid);
  }
}

function ownedSequences(simulation: Simulation, table: SimulatedObject, column = 0): SimulatedObject[] {
  const dependents = simulation.index.dependents.get(addressKey(classOid.relation, table.objid, column)) ?? [];
  return dependents.flatMap(({ from, to, type }) => {
    const sequence = simulation.byAddress.get(wholeOf(from));
    const owned = (type === "a" || type === "i") && to !== wholeOf(to) && from === wholeOf(from);
    return owned && sequence?.family === "relation" && sequence.sub === "S" && !sequence.created ? [sequence] : [];
  });
}

export function alterSequence(simulation: Simulation, body: Node, at: Place): void {
  const sequence = findRangeVar(simulation, body.sequence as Node);
  if (sequence === null) {
    noteAbsent(simulation, body, at, `sequence ${rangeName(body.sequence as Node)} is not there`);
    return;
  }
  lock(simulation, sequence.objid, "SHARE ROW EXCLUSIVE", "altered");
  const options = nodes(body.options).map((each) => each.DefElem as Node);
  if (restarts(options)) simulation.valued.add(sequence.objid);
  const owner = options.find((each) => each.defname === "owned_by");
  if (owner === undefined) change(simulation, sequence, "altered");
  else setOwner(simulation, sequence, wordsOf(owner.arg), at);
}

/** `OWNED BY NONE` saves a sequence from its table's DROP; `OWNED BY t.c` gives it to that table. */
function setOwner(simulation: Simulation, sequence: SimulatedObject, owner: readonly string[], at: Place): void {
  const owners = simulation.index.owners.get(keyOf(sequence)) ?? [];
  if (owners.some(({ to, type }) => type === "i" && wholeOf(to) !== to)) {
    simulation.failures.push({
      ...at,
      why: `sequence ${sequence.schema}.${sequence.name} is that of an identity column`,
    });
    return;
  }
  cutDependencies(simulation.index, keyOf(sequence), ({ type, to }) => type === "a" && wholeOf(to) !== to);
  if (owner.at(-1) === "none" && owner.length === 1) {
    disown(simulation, sequence);
    return;
  }
  const { schema, name } = splitName(owner.slice(0, -1));
  const table = findRelation(simulation, schema, name);
  const column = table && findColumn(simulation, table, owner.at(-1) ?? "");
  noteCreated(simulation, "SEQUENCE OWNED BY", sequence, sequence.name);
  if (!table || !column) simulation.failures.push({ ...at, why: `column ${owner.join(".")} is not there` });
  else
    addDependency(simulation.index, {
      from: keyOf(sequence),
      to: addressKey(classOid.relation, table.objid, column.number),
      type: "a",
    });
}

function disown(simulation: Simulation, sequence: SimulatedObject): void {
  simulation.disowned.add(keyOf(sequence));
  for (const { from } of simulation.index.dependents.get(keyOf(sequence)) ?? []) {
    const user = simulation.byAddress.get(from);
    const table = user?.family === "default" && user.relid !== null ? relationByOid(simulation, user.relid) : undefined;
    if (table !== undefined) simulation.touched.add(keyOf(table));
  }
}
