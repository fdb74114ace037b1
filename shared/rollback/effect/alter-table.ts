import { addColumn, alterColumnType, columnDefault, dropColumn, dropIdentity } from "./alter-column.ts";
import type { AlterCommand } from "./alter-command.ts";
import { addConstraint, dropConstraint } from "./alter-constraint.ts";
import { addParent, attachPartition, detachPartition, dropParent } from "./alter-parents.ts";
import { alterIdentity } from "./alter-sequence.ts";
import { alterAttributes } from "./alter-type.ts";
import { words } from "./describe.ts";
import { refuseOwnRecords } from "./destroy.ts";
import type { LockMode } from "./lock-modes.ts";
import { noteCreated } from "./made.ts";
import { findColumn, findRangeVar, relatives } from "./resolve.ts";
import {
  change,
  keyOf,
  lockForRows,
  noteAbsent,
  type Place,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";
import { type Node, nodes, rangeName } from "./sql-nodes.ts";

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
    noteAbsent(
      simulation,
      body,
      at,
      `${words((body.objtype as string) ?? "OBJECT_TABLE")} ${rangeName(range)} is not there`,
    );
    return;
  }
  refuseOwnRecords(simulation, relation, at);
  for (const each of nodes(body.cmds)) {
    const command = each.AlterTableCmd as Node;
    lockFor(simulation, relation, command);
    const family = range?.inh === false ? [relation] : [relation, ...relatives(simulation, relation)];
    alterCommand(simulation, { relation, family, command, at });
  }
}

function lockFor(simulation: Simulation, relation: SimulatedObject, command: Node): void {
  const oid = relation.sub === "i" || relation.sub === "I" ? relation.other : relation.objid;
  const constraint = (command.def as Node | undefined)?.Constraint as Node | undefined;
  const addsForeignKey = command.subtype === "AT_AddConstraint" && constraint?.contype === "CONSTR_FOREIGN";
  const mode = addsForeignKey
    ? "SHARE ROW EXCLUSIVE"
    : (weakerCommands[command.subtype as string] ?? "ACCESS EXCLUSIVE");
  lockForRows(simulation, oid, mode, "altered");
}

function alterCommand(simulation: Simulation, alter: AlterCommand): void {
  if (namesAbsentColumn(simulation, alter)) return;
  if (alter.relation.sub === "c") alterAttributes(simulation, alter);
  const handler = commandHandlers[alter.command.subtype as string];
  if (handler !== undefined) handler(simulation, alter);
  else for (const each of alter.family) change(simulation, each, "altered");
}

const onColumns = new Set([
  "AT_SetNotNull",
  "AT_DropNotNull",
  "AT_ColumnDefault",
  "AT_AlterColumnType",
  "AT_DropIdentity",
]);

function namesAbsentColumn(simulation: Simulation, { relation, command, at }: AlterCommand): boolean {
  if (!onColumns.has(command.subtype as string)) return false;
  if (findColumn(simulation, relation, command.name as string) !== null) return false;
  noteAbsent(
    simulation,
    command,
    at,
    `column ${command.name as string} of ${relation.schema}.${relation.name} is not there`,
  );
  return true;
}

const commandHandlers: Readonly<Record<string, (simulation: Simulation, alter: AlterCommand) => void>> = {
  AT_DropColumn: dropColumn,
  AT_DropConstraint: dropConstraint,
  AT_ColumnDefault: columnDefault,
  AT_AddColumn: addColumn,
  AT_AddConstraint: addConstraint,
  AT_EnableRowSecurity: (simulation, { relation }) => noteCreated(simulation, "ROW SECURITY", relation, relation.name),
  AT_DisableRowSecurity: (simulation, { relation }) => void simulation.unguarded.add(keyOf(relation)),
  AT_AlterColumnType: alterColumnType,
  AT_DropIdentity: dropIdentity,
  AT_SetIdentity: alterIdentity,
  AT_AttachPartition: attachPartition,
  AT_DetachPartition: detachPartition,
  AT_AddInherit: addParent,
  AT_DropInherit: dropParent,
};
