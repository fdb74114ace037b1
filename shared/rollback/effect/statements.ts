import type { Statement } from "../../sql/parse.ts";
import { shorten } from "../../words.ts";
import { alterByName, alterDomain, alterEnum, alterNamed, alterPolicy } from "./alter-object.ts";
import { alterSequence } from "./alter-sequence.ts";
import { alterTable } from "./alter-table.ts";
import { comment, grant } from "./annotate.ts";
import { createNamed, createOnRelation, createRoutine, createStatistics, createType } from "./create-object.ts";
import { createIndex, createSequence, createTable, createTableAs, createView } from "./create-relation.ts";
import { alterDefaultPrivileges } from "./default-privileges.ts";
import { define } from "./define.ts";
import { dropStatement } from "./drop.ts";
import { alterForeign, alterUserMapping, dropSubscription, dropUserMapping } from "./foreign-data.ts";
import { refuseLargeObjects } from "./large-objects.ts";
import { maintenance } from "./maintenance.ts";
import { opaqueReason } from "./opaque.ts";
import { renameStatement } from "./rename.ts";
import { rowStatement } from "./rows.ts";
import { explainedStatement, selectStatement } from "./select.ts";
import { setSchema } from "./set-schema.ts";
import { setVariable } from "./set-variable.ts";
import type { Place, Simulation } from "./simulation.ts";
import { type Node, rangeName, wordsOf } from "./sql-nodes.ts";

/** A statement of a set of rollback SQL: its file, and which of the set's units it belongs to. */
export type PlacedStatement = Statement & { readonly file?: string; readonly unit?: number };

type Handler = (simulation: Simulation, body: Node, at: Place) => void;

/** Replays one statement on the simulation; what the text cannot tell is noted as opaque. */
export function replayStatement(simulation: Simulation, statement: PlacedStatement): void {
  const { line, file, unit } = statement;
  const at: Place = { line, statement: shorten(statement.text), ...(file === undefined ? {} : { file, unit }) };
  simulation.current = { text: statement.text, node: statement.node };
  replayBody(simulation, statement.kind, statement.node as Node, at);
}

function replayBody(simulation: Simulation, kind: string, body: Node, at: Place): void {
  refuseLargeObjects(simulation, kind, body, at);
  const handler = handlers[kind];
  if (handler !== undefined) handler(simulation, body, at);
  else if (maintenance(simulation, kind, body, at) || rowStatement(simulation, kind, body, at)) return;
  else simulation.opaque.push({ ...at, why: opaqueReason(kind, body) });
}

const handlers: Readonly<Record<string, Handler>> = {
  DropStmt: dropStatement,
  SelectStmt: selectStatement,
  ExplainStmt: (simulation, body, at) => {
    const run = explainedStatement(body);
    if (run !== null) replayBody(simulation, run[0], run[1], at);
  },
  AlterTableStmt: alterTable,
  RenameStmt: renameStatement,
  AlterObjectSchemaStmt: setSchema,
  AlterEnumStmt: alterEnum,
  CreateStmt: createTable,
  CreateForeignTableStmt: (simulation, body, at) => createTable(simulation, (body.base ?? body.base_stmt) as Node, at),
  ViewStmt: createView,
  CreateTableAsStmt: createTableAs,
  CreateSeqStmt: createSequence,
  IndexStmt: createIndex,
  CreateFunctionStmt: createRoutine,
  CreateEnumStmt: (simulation, body, at) => createType(simulation, wordsOf(body.typeName), "TYPE", at),
  CreateRangeStmt: (simulation, body, at) => createType(simulation, wordsOf(body.typeName), "TYPE", at),
  CreateDomainStmt: (simulation, body, at) => createType(simulation, wordsOf(body.domainname), "DOMAIN", at),
  CompositeTypeStmt: (simulation, body, at) =>
    createType(simulation, rangeName(body.typevar as Node).split("."), "TYPE", at),
  CreateTrigStmt: (simulation, body, at) =>
    createOnRelation(simulation, "trigger", body.relation as Node, body.trigname as string, body.replace === true, at),
  CreatePolicyStmt: (simulation, body, at) =>
    createOnRelation(simulation, "policy", body.table as Node, body.policy_name as string, false, at),
  RuleStmt: (simulation, body, at) =>
    createOnRelation(simulation, "rule", body.relation as Node, body.rulename as string, body.replace === true, at),
  CreateSchemaStmt: (simulation, body, at) =>
    createNamed(simulation, "schema", "SCHEMA", body.schemaname as string, body.if_not_exists === true, at),
  CreateExtensionStmt: (simulation, body, at) =>
    createNamed(simulation, "extension", "EXTENSION", body.extname as string, body.if_not_exists === true, at),
  CreatePublicationStmt: (simulation, body, at) =>
    createNamed(simulation, "publication", "PUBLICATION", body.pubname as string, false, at),
  CreateEventTrigStmt: (simulation, body, at) =>
    createNamed(simulation, "event_trigger", "EVENT TRIGGER", body.trigname as string, false, at),
  CreateStatsStmt: createStatistics,
  DefineStmt: define,
  AlterPolicyStmt: alterPolicy,
  AlterSeqStmt: alterSequence,
  AlterDomainStmt: alterDomain,
  AlterStatsStmt: (simulation, body, at) => alterByName(simulation, "OBJECT_STATISTIC_EXT", body, body.defnames, at),
  AlterTSConfigurationStmt: (simulation, body, at) =>
    alterByName(simulation, "OBJECT_TSCONFIGURATION", body, body.cfgname, at),
  AlterTSDictionaryStmt: (simulation, body, at) =>
    alterByName(simulation, "OBJECT_TSDICTIONARY", body, body.dictname, at),
  AlterFunctionStmt: (simulation, body, at) =>
    alterNamed(simulation, (body.objtype as string) ?? "OBJECT_FUNCTION", { ObjectWithArgs: body.func } as Node, at),
  AlterOwnerStmt: (simulation, body, at) => alterNamed(simulation, body.objectType as string, body.object as Node, at),
  AlterPublicationStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_PUBLICATION", { String: { sval: body.pubname } }, at),
  AlterEventTrigStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_EVENT_TRIGGER", { String: { sval: body.trigname } }, at),
  AlterExtensionStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_EXTENSION", { String: { sval: body.extname } }, at),
  CreateFdwStmt: (simulation, body, at) =>
    createNamed(simulation, "fdw", "FOREIGN DATA WRAPPER", body.fdwname as string, false, at),
  CreateForeignServerStmt: (simulation, body, at) =>
    createNamed(simulation, "server", "SERVER", body.servername as string, body.if_not_exists === true, at),
  AlterFdwStmt: (simulation, body, at) => alterForeign(simulation, "OBJECT_FDW", body.fdwname, at),
  AlterForeignServerStmt: (simulation, body, at) =>
    alterForeign(simulation, "OBJECT_FOREIGN_SERVER", body.servername, at),
  AlterUserMappingStmt: alterUserMapping,
  DropUserMappingStmt: dropUserMapping,
  DropSubscriptionStmt: dropSubscription,
  CommentStmt: comment,
  GrantStmt: grant,
  AlterDefaultPrivilegesStmt: alterDefaultPrivileges,
  VariableSetStmt: setVariable,
  TransactionStmt: () => {},
  VariableShowStmt: () => {},
  ConstraintsSetStmt: () => {},
};
