import { type AddressKey, addressKey, classOid, type DependencyGraph } from "../effect/dependency-graph.ts";
import { findTarget } from "../effect/drop.ts";
import { type DropReason, dropClosure, wholeOf } from "../effect/drop-closure.ts";
import { descendants, findRangeVar } from "../effect/resolve.ts";
import { keyOf, relationByOid, type SimulatedObject, type Simulation, startSimulation } from "../effect/simulation.ts";
import { type Node, nodes } from "../effect/sql-nodes.ts";
import { type PlacedStatement, replayStatement } from "../effect/statements.ts";

/** An object as it is named when the statement runs: the SQL may rename it before. */
export interface Named {
  readonly family: string;
  readonly sub: string;
  readonly objid: number;
  readonly schema: string | null;
  readonly name: string;
  readonly relid: number | null;
  /** As in the graph: what a foreign key references, an index is of. */
  readonly other: number;
  readonly args: readonly number[];
  readonly created: boolean;
}

/** A plain DROP TABLE, DROP TYPE or DROP DOMAIN, with all that it takes. */
export interface DropSite {
  readonly statement: PlacedStatement;
  readonly type: "TABLE" | "TYPE" | "DOMAIN";
  readonly cascade: boolean;
  readonly targets: readonly AddressKey[];
  /** With how each comes to go. */
  readonly closure: ReadonlyMap<AddressKey, DropReason>;
  /** Gone before it. */
  readonly before: ReadonlySet<AddressKey>;
  /** Names at that time, of objects and of the tables that they belong to. */
  readonly names: ReadonlyMap<AddressKey, Named>;
  /** Names of columns in the closure at that time. */
  readonly columns: ReadonlyMap<AddressKey, string>;
}

/** What the SQL does as far as it matters to what can be moved instead of dropped. */
export interface Dropping {
  readonly sites: readonly DropSite[];
  /** All that is gone in the end. */
  readonly gone: ReadonlySet<AddressKey>;
  /** Tables whose rows or columns the SQL changes before, by oid. */
  readonly altered: ReadonlySet<number>;
  /** The SQL runs statements as another role. */
  readonly changesRole: boolean;
  /** The SQL changes what publications hold. */
  readonly altersPublications: boolean;
  readonly simulation: Simulation;
}

const dropTypes: Readonly<Record<string, DropSite["type"]>> = {
  OBJECT_TABLE: "TABLE",
  OBJECT_TYPE: "TYPE",
  OBJECT_DOMAIN: "DOMAIN",
};

/** Replays the statements and notes what each plain DROP takes; a DROP that would fail is left out. Pure. */
export function findDropSites(statements: readonly PlacedStatement[], graph: DependencyGraph): Dropping {
  const simulation = startSimulation(graph);
  const sites: DropSite[] = [];
  const altered = new Set<number>();
  for (const [at, statement] of statements.entries()) {
    if (statements[at - 1] !== undefined && statements[at - 1]!.unit !== statement.unit)
      simulation.searchPath = graph.searchPath;
    const site = statement.kind === "DropStmt" ? siteOf(simulation, statement) : null;
    if (site !== null) sites.push(site);
    for (const oid of alteredBy(simulation, statement)) altered.add(oid);
    replayStatement(simulation, statement);
  }
  for (const { oid } of simulation.writes) altered.add(oid);
  return {
    sites,
    gone: new Set(simulation.gone.keys()),
    altered,
    changesRole: statements.some(changesRole),
    altersPublications: statements.some(({ kind }) => kind === "AlterPublicationStmt"),
    simulation,
  };
}

function siteOf(simulation: Simulation, statement: PlacedStatement): DropSite | null {
  const body = statement.node as Node;
  const type = dropTypes[body.removeType as string];
  if (type === undefined) return null;
  const found = nodes(body.objects).map((item) => findTarget(simulation, body.removeType as string, item));
  const targets = found.filter((each): each is SimulatedObject => Boolean(each));
  if (targets.length === 0 || (targets.length < found.length && body.missing_ok !== true)) return null;
  if (targets.some((each) => !isOfType(simulation, each, type))) return null;
  const cascade = body.behavior === "DROP_CASCADE";
  const named = [...new Set(targets.map(keyOf))];
  const before = new Set(simulation.gone.keys());
  const closure = dropClosure(simulation.index, named, before);
  if (closure.ownedBy.length > 0 || (!cascade && closure.needCascade.length > 0)) return null;
  const names = new Map<AddressKey, Named>();
  const columns = new Map<AddressKey, string>();
  for (const key of closure.gone.keys()) {
    const object = simulation.byAddress.get(wholeOf(key));
    if (object === undefined) continue;
    for (const each of withTables(simulation, object)) names.set(keyOf(each), namedNow(each));
    const number = Number(key.slice(key.lastIndexOf("/") + 1));
    const column = simulation.columns.get(object.objid)?.find((each) => each.number === number);
    if (number !== 0 && column !== undefined) columns.set(key, column.name);
    if (object.family === "default" && object.relid !== null) {
      const own = simulation.columns.get(object.relid)?.find((each) => String(each.number) === object.name);
      if (own !== undefined) columns.set(key, own.name);
    }
  }
  return { statement, type, cascade, targets: named, closure: closure.gone, before, names, columns };
}

function isOfType(simulation: Simulation, object: SimulatedObject, type: DropSite["type"]): boolean {
  if (object.created) return false;
  if (type === "TABLE") return object.family === "relation" && "rp".includes(object.sub);
  if (object.family !== "type") return false;
  const relation = object.relid === null ? undefined : relationByOid(simulation, object.relid);
  return relation === undefined || relation.sub === "c";
}

/** The object, the table that it belongs to and the one that it refers to, and parents of a table. */
function withTables(simulation: Simulation, object: SimulatedObject): SimulatedObject[] {
  const parents = simulation.inherits.filter(({ child }) => child === object.objid).map(({ parent }) => parent);
  const oids = [object.relid ?? 0, object.other, ...(object.family === "relation" ? parents : [])];
  return [object, ...oids.flatMap((oid) => relationByOid(simulation, oid) ?? [])];
}

function namedNow(object: SimulatedObject): Named {
  const { family, sub, objid, schema, name, relid, other, args, created } = object;
  return { family, sub, objid, schema, name, relid, other, args, created };
}

/** Commands that change or take values, or the storage, of a table. */
const altering = new Set([
  ...["AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType", "AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace"],
  ...["AT_SetAccessMethod", "AT_AttachPartition", "AT_DetachPartition", "AT_AddInherit", "AT_DropInherit"],
]);

function alteredBy(simulation: Simulation, { kind, node }: PlacedStatement): number[] {
  const body = node as Node;
  if (kind === "RenameStmt" && body.renameType === "OBJECT_COLUMN") return family(simulation, body);
  if (kind !== "AlterTableStmt") return [];
  const commands = nodes(body.cmds).map((each) => each.AlterTableCmd as Node | undefined);
  if (!commands.some((each) => altering.has(String(each?.subtype)))) return [];
  return family(simulation, body);
}

function family(simulation: Simulation, body: Node): number[] {
  const found = findRangeVar(simulation, body.relation as Node | undefined);
  return found === null ? [] : [found.objid, ...descendants(simulation, found.objid)];
}

function changesRole({ kind, node }: PlacedStatement): boolean {
  const name = String((node as Node).name ?? "");
  return kind === "VariableSetStmt" && (name === "role" || name === "session_authorization");
}

/** Address of a relation by its oid. */
export function relationKey(oid: number): AddressKey {
  return addressKey(classOid.relation, oid);
}
