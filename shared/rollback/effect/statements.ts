import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Statement } from "../../sql/parse.ts";
import { alterEnum, alterTable, change, rangeName, renameStatement, setSchema } from "./alter.ts";
import {
  createIndex,
  createNamed,
  createOnRelation,
  createRoutine,
  createSequence,
  createTable,
  createTableAs,
  createType,
  createView,
  noteCreated,
} from "./create.ts";
import { dropStatement, findTarget, words } from "./drop.ts";
import { dmlStatement, opaqueReason } from "./opaque.ts";
import { findNamed, findOnRelation, findRangeVar, splitName } from "./resolve.ts";
import { drop, keyOf, lock, type Remark, relationByOid, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, shorten, stringsOf, wordsOf } from "./sql-nodes.ts";

type Place = Pick<Remark, "line" | "statement">;
type Handler = (simulation: Simulation, body: Node, at: Place) => void;

/** Replays one statement on the simulation; what the text cannot tell is noted as opaque. */
export function replayStatement(simulation: Simulation, statement: Statement): void {
  const at = { line: statement.line, statement: shorten(statement.text) };
  const body = statement.node as Node;
  const handler = handlers[statement.kind];
  if (handler !== undefined) handler(simulation, body, at);
  else if (dmlStatement(simulation, statement.kind, body, at)) return;
  else simulation.opaque.push({ ...at, why: opaqueReason(statement.kind, body) });
}

const handlers: Readonly<Record<string, Handler>> = {
  DropStmt: dropStatement,
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
  AlterPolicyStmt: alterPolicy,
  AlterSeqStmt: alterSequence,
  AlterDomainStmt: alterDomain,
  AlterFunctionStmt: (simulation, body, at) =>
    alterNamed(simulation, (body.objtype as string) ?? "OBJECT_FUNCTION", { ObjectWithArgs: body.func } as Node, at),
  AlterOwnerStmt: (simulation, body, at) => alterNamed(simulation, body.objectType as string, body.object as Node, at),
  AlterPublicationStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_PUBLICATION", { String: { sval: body.pubname } }, at),
  AlterEventTrigStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_EVENT_TRIGGER", { String: { sval: body.trigname } }, at),
  AlterExtensionStmt: (simulation, body, at) =>
    alterNamed(simulation, "OBJECT_EXTENSION", { String: { sval: body.extname } }, at),
  CommentStmt: comment,
  GrantStmt: grant,
  VariableSetStmt: setVariable,
  TransactionStmt: () => {},
  VariableShowStmt: () => {},
  ConstraintsSetStmt: () => {},
};

function alterNamed(simulation: Simulation, objectType: string, item: Node, at: Place): void {
  const found = findTarget(simulation, objectType, item);
  if (found === null)
    simulation.failures.push({ ...at, why: `${words(objectType)} ${stringsOf(item).join(".")} is not there` });
  else if (found === undefined)
    simulation.opaque.push({ ...at, why: `Belay cannot tell what this ${words(objectType)} change does` });
  else change(simulation, found, "altered");
}

function alterPolicy(simulation: Simulation, body: Node, at: Place): void {
  const table = findRangeVar(simulation, body.table as Node);
  const policy = findOnRelation(simulation, "policy", table, body.policy_name as string);
  if (table === null || policy === null) {
    simulation.failures.push({
      ...at,
      why: `policy ${body.policy_name as string} on ${rangeName(body.table as Node)} is not there`,
    });
    return;
  }
  lock(simulation, table.objid, "ACCESS EXCLUSIVE", "a policy is altered");
  change(simulation, policy, "altered");
}

function alterSequence(simulation: Simulation, body: Node, at: Place): void {
  const sequence = findRangeVar(simulation, body.sequence as Node);
  if (sequence === null) {
    const why = `sequence ${rangeName(body.sequence as Node)} is not there`;
    (body.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
    return;
  }
  lock(simulation, sequence.objid, "SHARE ROW EXCLUSIVE", "altered");
  const owner = nodes(body.options)
    .map((each) => each.DefElem as Node)
    .find((each) => each.defname === "owned_by");
  if (owner === undefined) change(simulation, sequence, "altered");
  else if (wordsOf(owner.arg).at(-1) !== "none") noteCreated(simulation, "SEQUENCE OWNED BY", sequence, sequence.name);
  else disown(simulation, sequence);
}

function disown(simulation: Simulation, sequence: SimulatedObject): void {
  simulation.disowned.add(keyOf(sequence));
  for (const { from } of simulation.index.dependents.get(keyOf(sequence)) ?? []) {
    const user = simulation.byAddress.get(from);
    const table = user?.family === "default" && user.relid !== null ? relationByOid(simulation, user.relid) : undefined;
    if (table !== undefined) simulation.touched.add(keyOf(table));
  }
}

function alterDomain(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.typeName));
  const domain = findNamed(simulation, "type", schema, name);
  if (domain === null) {
    simulation.failures.push({ ...at, why: `domain ${wordsOf(body.typeName).join(".")} is not there` });
    return;
  }
  change(simulation, domain, "altered");
  if (body.subtype !== "X") return;
  const constraint = (simulation.byFamily.get("constraint") ?? []).find(
    (each) => each.relid === domain.objid && each.name === body.name && !simulation.gone.has(keyOf(each)),
  );
  if (constraint !== undefined) drop(simulation, [keyOf(constraint)], body.behavior === "DROP_CASCADE", at);
}

function createStatistics(simulation: Simulation, body: Node): void {
  const { schema, name } = splitName(wordsOf(body.defnames));
  const table = findRangeVar(simulation, nodes(body.relations)[0]?.RangeVar as Node | undefined);
  if (table === null) return;
  lock(simulation, table.objid, "SHARE UPDATE EXCLUSIVE", "gains extended statistics");
  noteCreated(simulation, "STATISTICS", { ...table, schema: schema ?? table.schema }, name);
}

function comment(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.objtype as string;
  const names = stringsOf(body.object);
  const onColumn = objectType === "OBJECT_COLUMN";
  const item = onColumn
    ? { List: { items: names.slice(0, -1).map((sval) => ({ String: { sval } })) } }
    : (body.object as Node);
  const found = findTarget(simulation, onColumn ? "OBJECT_TABLE" : objectType, item);
  if (found === undefined) simulation.opaque.push({ ...at, why: "a comment on an object that Belay does not look up" });
  else if (found === null)
    simulation.failures.push({ ...at, why: `${words(objectType)} ${names.join(".")} is not there` });
  else if (!found.created) {
    const tag = onColumn
      ? `${found.schema} COLUMN ${quoteIdent(found.name)}.${quoteIdent(names.at(-1) ?? "")}`
      : keyOf(found);
    simulation.commented.set(tag, typeof body.comment === "string" ? "set" : "removed");
    if (found.family === "relation") lock(simulation, found.objid, "SHARE UPDATE EXCLUSIVE", "its comment is set");
  }
}

function grant(simulation: Simulation, body: Node, at: Place): void {
  if (body.targtype !== "ACL_TARGET_OBJECT") {
    simulation.opaque.push({ ...at, why: "a grant on all objects of a schema" });
    return;
  }
  for (const each of nodes(body.objects)) {
    const range = each.RangeVar as Node | undefined;
    const found =
      range !== undefined ? findRangeVar(simulation, range) : findTarget(simulation, body.objtype as string, each);
    if (found === null)
      simulation.failures.push({
        ...at,
        why: `${words(body.objtype as string)} ${range ? rangeName(range) : stringsOf(each).join(".")} is not there`,
      });
    else if (found === undefined)
      simulation.opaque.push({ ...at, why: "a grant on an object that Belay does not look up" });
    else if (!found.created) simulation.granted.add(keyOf(found));
  }
}

function setVariable(simulation: Simulation, body: Node, at: Place): void {
  if (body.name !== "search_path") return;
  if (body.kind !== "VAR_SET_VALUE") {
    simulation.searchPath = simulation.graph.searchPath;
    return;
  }
  const path = nodes(body.args).map((each) => ((each.A_Const as Node | undefined)?.sval as Node | undefined)?.sval);
  if (path.some((each) => typeof each !== "string"))
    simulation.opaque.push({ ...at, why: "a search_path that Belay cannot read" });
  else simulation.searchPath = path as string[];
}
