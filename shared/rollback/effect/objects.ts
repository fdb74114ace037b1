import { entryKey } from "../../catalog/entry.ts";
import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import type { EffectObject } from "../types.ts";
import { type AddressKey, addressKey, classOid, type NamedObject } from "./dependency-graph.ts";
import { wholeOf } from "./drop-closure.ts";
import { keyOf, relationByOid, type SimulatedObject, type Simulation } from "./simulation.ts";
import { typeWords } from "./type-words.ts";

type Change = EffectObject["change"];
type By = EffectObject["by"];

/** Entries that belong to another object and go with it; they have no address of their own. */
const satellites = new Set([
  "TABLE DATA",
  "SEQUENCE SET",
  "SEQUENCE OWNED BY",
  "MATERIALIZED VIEW DATA",
  "COMMENT",
  "ACL",
  "ROW SECURITY",
  "TABLE ATTACH",
  "INDEX ATTACH",
  "SECURITY LABEL",
  "PUBLICATION TABLE",
]);

/** What the simulation did, entry by entry of the catalog as it is today, and what it makes. */
export function effectObjects(simulation: Simulation, catalog: Catalog): EffectObject[] {
  const result = new Map<string, EffectObject>();
  const put = ({ key, kind, schema, name }: Omit<EffectObject, "change" | "by">, change: Change, by: By) => {
    if (!result.has(key)) result.set(key, { key, kind, schema, name, change, by });
  };
  const created = createdEntries(simulation, catalog);
  const destroyed = destroyedEntries(simulation, catalog);
  for (const [entry, by] of destroyed) put(entry, created.has(entry.key) ? "changed" : "destroyed", by);
  const changed = changeFinder(simulation, catalog);
  for (const entry of catalog.entries) {
    const by = changed(entry);
    if (by !== null) put(entry, "changed", by);
  }
  for (const [key, { kind, schema, name }] of created) put({ key, kind, schema, name }, "created", "statement");
  return [...result.values()];
}

function addressOf(entry: Entry): AddressKey {
  const { classid, objid, objsubid } = entry.address;
  return addressKey(classid, objid, objsubid);
}

/** Addresses of the entries that an entry depends on. */
function ownerFinder(catalog: Catalog): (entry: Entry) => AddressKey[] {
  const addresses = new Map(catalog.entries.map((entry) => [entry.key, wholeOf(addressOf(entry))]));
  return (entry) => entry.dependencies.flatMap((key) => addresses.get(key) ?? []);
}

function destroyedEntries(simulation: Simulation, catalog: Catalog): Map<Entry, By> {
  const ownersOf = ownerFinder(catalog);
  const columns = columnTags(simulation, "gone");
  const destroyed = new Map<Entry, By>();
  const keys = new Set<string>();
  for (const entry of catalog.entries) {
    if (satellites.has(entry.kind)) continue;
    const reason = simulation.gone.get(addressOf(entry)) ?? simulation.gone.get(wholeOf(addressOf(entry)));
    if (reason === undefined) continue;
    destroyed.set(entry, reason === "named" ? "statement" : "cascade");
    keys.add(entry.key);
  }
  for (const entry of catalog.entries) {
    if (!satellites.has(entry.kind)) continue;
    const switched =
      (entry.kind === "ROW SECURITY" && ownersOf(entry).some((owner) => simulation.unguarded.has(owner))) ||
      (entry.kind === "COMMENT" && simulation.commented.get(commentTarget(entry, ownersOf(entry))) === "removed") ||
      (entry.kind === "SEQUENCE OWNED BY" && ownersOf(entry).some((owner) => simulation.disowned.has(owner))) ||
      isDetached(simulation, entry, ownersOf(entry));
    if (switched) destroyed.set(entry, "statement");
    else if (entry.dependencies.some((key) => keys.has(key)) || columns.has(columnTag(entry)))
      destroyed.set(entry, "cascade");
  }
  return destroyed;
}

function isDetached(simulation: Simulation, entry: Entry, owners: readonly AddressKey[]): boolean {
  if (entry.kind !== "TABLE ATTACH" && entry.kind !== "INDEX ATTACH") return false;
  return owners.some((owner) => {
    const relation = simulation.byAddress.get(owner);
    return (
      relation !== undefined && (simulation.detached.has(relation.objid) || simulation.detached.has(relation.other))
    );
  });
}

/** `schema COLUMN table.column` as comments and grants on columns are named. */
function columnTag(entry: Entry): string {
  return `${entry.schema} ${entry.name}`;
}

function columnTags(simulation: Simulation, what: "gone" | "renamed"): Set<string> {
  const tags = new Set<string>();
  for (const column of simulation.graph.columns) {
    const table = simulation.graph.byOid.get(column.relid);
    if (table === undefined) continue;
    const gone = simulation.gone.has(addressKey(classOid.relation, column.relid, column.number));
    const now = simulation.columns.get(column.relid)?.find((each) => each.number === column.number);
    if (what === "gone" ? gone : !gone && now?.name !== column.name)
      tags.add(`${table.schema} COLUMN ${quoteIdent(table.name)}.${quoteIdent(column.name)}`);
  }
  return tags;
}

/** What a comment entry is on, as the simulation keys it: an address, or a column's tag. */
function commentTarget(entry: Entry, owners: readonly AddressKey[]): string {
  return entry.name.startsWith("COLUMN ") ? columnTag(entry) : (owners[0] ?? "");
}

/** Says whether, and why, an entry that stays reads differently afterwards. */
function changeFinder(simulation: Simulation, catalog: Catalog) {
  const ownersOf = ownerFinder(catalog);
  const inlined = inlinedInTables(simulation, catalog);
  const renamedColumns = columnTags(simulation, "renamed");
  return (entry: Entry): By | null => {
    const address = addressOf(entry);
    if (!satellites.has(entry.kind)) {
      if (simulation.changed.has(address) || renamedKey(simulation, entry) !== null) return "statement";
      // A default that takes from a sequence stands apart only while its table owns the sequence.
      const disowned = entry.kind === "DEFAULT" && ownersOf(entry).some((owner) => simulation.disowned.has(owner));
      return simulation.touched.has(address) || inlined.has(address) || disowned ? "cascade" : null;
    }
    const owners = ownersOf(entry);
    if (entry.kind === "COMMENT" && simulation.commented.has(commentTarget(entry, owners))) return "statement";
    if (entry.kind === "ACL" && owners.some((owner) => simulation.granted.has(owner))) return "statement";
    if (renamedColumns.has(columnTag(entry)) || owners.some((owner) => simulation.renamed.has(owner)))
      return "statement";
    const worded = wordedWithColumns[entry.kind];
    return worded !== undefined && owners.some((owner) => worded.test(simulation.changed.get(owner) ?? ""))
      ? "cascade"
      : null;
  };
}

/** Which changes of a table show in the text of its satellites. */
const wordedWithColumns: Readonly<Record<string, RegExp>> = {
  "TABLE DATA": /column/,
  "SEQUENCE OWNED BY": /column is renamed/,
};

/** Tables and domains whose CREATE text holds a default or a check that goes or reads differently. */
function inlinedInTables(simulation: Simulation, { entries }: Catalog): Set<AddressKey> {
  const apart = new Set(entries.flatMap((entry) => (satellites.has(entry.kind) ? [] : [addressOf(entry)])));
  const changed = new Set<AddressKey>();
  for (const key of [...simulation.gone.keys(), ...simulation.touched, ...simulation.renamed]) {
    const whole = wholeOf(key);
    if (whole !== key) changed.add(whole);
    const object = simulation.byAddress.get(whole);
    if (object === undefined || object.relid === null || apart.has(whole)) continue;
    if (object.family !== "default" && object.family !== "constraint") continue;
    changed.add(addressKey(classOid.relation, object.relid));
    changed.add(addressKey(classOid.type, object.relid));
  }
  return changed;
}

/** `role`: whose default privileges they are. */
type Made = Pick<EffectObject, "kind" | "schema" | "name"> & { readonly role?: string | null | undefined };

/** Entries that come: those that statements make, and those that go on under another name. */
function createdEntries(simulation: Simulation, catalog: Catalog): Map<string, Made> {
  const created = new Map<string, Made>();
  const add = (made: Made) => created.set(entryKey({ ...made, owner: made.role ?? null }), made);
  for (const { owner, ...made } of simulation.created.values())
    if (owner === null || !simulation.gone.has(owner)) add(made);
  const ownersOf = ownerFinder(catalog);
  for (const entry of catalog.entries) {
    const renamed = satellites.has(entry.kind)
      ? renamedSatellite(simulation, entry, ownersOf(entry))
      : renamedKey(simulation, entry);
    if (renamed !== null) add({ kind: entry.kind, role: entry.owner, ...renamed });
  }
  return created;
}

/** The name that an entry goes on under; null when it keeps its own. */
function renamedKey(simulation: Simulation, entry: Entry): { schema: string | null; name: string } | null {
  const object = simulation.byAddress.get(wholeOf(addressOf(entry)));
  if (object === undefined || simulation.gone.has(keyOf(object))) return null;
  const table = object.relid === null || object.family === "type" ? undefined : relationByOid(simulation, object.relid);
  if (table !== undefined && simulation.gone.has(keyOf(table))) return null;
  const now = table === undefined ? own(simulation, object, entry) : ofTable(simulation, object, table, entry);
  if (now === null || (now.schema === entry.schema && now.name === entry.name)) return null;
  return now;
}

/** Families without a schema that can be renamed; what a schema holds is renamed with it. */
const unowned = new Set(["schema", "event_trigger", "publication", "subscription", "fdw", "server"]);

function own(simulation: Simulation, object: SimulatedObject, entry: Entry) {
  const { family, schema, name } = object;
  if (family === "routine") return { schema, name: name + argumentsNow(simulation, object, entry) };
  return schema === null && !unowned.has(family) ? null : { schema, name };
}

/** A routine's entry is named with the types of its arguments. */
function argumentsNow(simulation: Simulation, { args }: SimulatedObject, entry: Entry): string {
  const isRenamed = (oid: number): boolean => {
    const key = addressKey(classOid.type, oid);
    const element = simulation.byAddress.get(key)?.args[0] ?? 0;
    return simulation.renamed.has(key) || (element > 0 && isRenamed(element));
  };
  if (!args.some(isRenamed)) return entry.name.slice(entry.name.indexOf("("));
  return `(${args.map((oid) => typeWords(simulation, oid)).join(", ")})`;
}

function ofTable(simulation: Simulation, object: SimulatedObject, table: SimulatedObject, entry: Entry) {
  if (object.family === "statistics") return { schema: object.schema, name: object.name };
  if (!["constraint", "trigger", "policy", "rule", "default"].includes(object.family)) return null;
  if (!entry.name.includes(" ")) return null;
  const column = simulation.columns.get(table.objid)?.find((each) => String(each.number) === object.name);
  const part = object.family === "default" ? (column?.name ?? object.name) : object.name;
  return { schema: table.schema, name: `${table.name} ${part}` };
}

function renamedSatellite(simulation: Simulation, entry: Entry, owners: readonly AddressKey[]) {
  for (const owner of owners) {
    const object = simulation.byAddress.get(owner);
    const was = object === undefined ? undefined : simulation.graph.byOid.get(object.objid);
    if (object === undefined || was === undefined || simulation.gone.has(owner)) continue;
    if (was.schema !== entry.schema) continue;
    const name = renamedWithin(simulation, entry, was, object);
    if (object.schema !== entry.schema || name !== entry.name) return { schema: object.schema, name };
  }
  return null;
}

/** `t`, `TABLE t`, `COLUMN t.c` or `TRIGGER x ON t` with the relation's and the column's new names. */
function renamedWithin(simulation: Simulation, entry: Entry, was: NamedObject, now: SimulatedObject): string {
  if (entry.name === was.name) return now.name;
  if (entry.kind !== "COMMENT" && entry.kind !== "ACL") return entry.name;
  const prefix = `COLUMN ${quoteIdent(was.name)}.`;
  if (!entry.name.startsWith(prefix)) return entry.name.replace(quoteIdent(was.name), quoteIdent(now.name));
  const old = simulation.graph.columns.find(
    (each) => each.relid === was.objid && entry.name === prefix + quoteIdent(each.name),
  );
  const column = simulation.columns.get(was.objid)?.find((each) => each.number === old?.number);
  return column === undefined ? entry.name : `COLUMN ${quoteIdent(now.name)}.${quoteIdent(column.name)}`;
}
