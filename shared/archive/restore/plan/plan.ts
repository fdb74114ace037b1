import { qualified, quoteLiteral } from "../../../catalog/identifiers.ts";
import type { Toc, TocEntry } from "../../format/toc.ts";
import { grantsOfGroup, largeObjectIds, makeLargeObjects } from "./large-objects.ts";
import { isOnlyComment, ownerStatement } from "./owners.ts";
import { relationsOf } from "./relations.ts";
import { orderTasks } from "./tasks.ts";
import type { PlanOptions, RestorePlan, Step, Task } from "./types.ts";

/** What concerns the archive or the database as a whole. */
const settings = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "DATABASE",
  "DATABASE PROPERTIES",
  "<Init>",
  "WARNING",
]);
const grants = new Set(["ACL", "DEFAULT ACL"]);
const attached = new Set(["COMMENT", "SECURITY LABEL", "ACL"]);

/** Where nobody knows the size of a table's rows: large enough for several sessions. */
const unknownBytes = 16 * 1024 * 1024;

const firstWithStatistics = 180_000;

/** Orders an archive's entries into the stages of a restore. Throws `archive_invalid`. */
export function planRestore(toc: Toc, options: PlanOptions): RestorePlan {
  const leftOut: string[] = [];
  const wanted = toc.entries.filter((entry) => isWanted(entry, options, leftOut));
  const make = stepMaker(toc, wanted, options, leftOut);
  const [before, parallel, granting, refreshing, last]: [TocEntry[], TocEntry[], TocEntry[], TocEntry[], TocEntry[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  let dataBegun = false;
  for (const entry of wanted) {
    dataBegun ||= entry.section === "data" || entry.section === "post-data";
    if (grants.has(entry.desc)) granting.push(entry);
    else if (isOfEventTrigger(entry)) last.push(entry);
    else if (entry.desc === "MATERIALIZED VIEW DATA") refreshing.push(entry);
    else if (dataBegun && entry.section !== "pre-data") parallel.push(entry);
    else before.push(entry);
  }
  const steps = (entries: readonly TocEntry[]) => entries.flatMap((entry) => make(entry) ?? []);
  const relations = relationsOf(toc.entries);
  return {
    before: steps(before),
    tasks: inOrderOfForeignKeys(orderTasks(steps(parallel), relations), options),
    grants: steps(granting),
    refreshes: orderTasks(steps(refreshing), relations),
    last: steps(last),
    leftOut,
  };
}

/** Into tables that are there already, perhaps with foreign keys, rows go in the archive's order: pg_dump knows the keys. */
function inOrderOfForeignKeys(tasks: readonly Task[], { foreignKeys }: PlanOptions): readonly Task[] {
  if (!foreignKeys) return tasks;
  let before: number | null = null;
  return tasks.map((task) => {
    if (task.step.kind !== "rows" || task.step.own) return task;
    const needs = before === null ? task.needs : [...task.needs, before];
    before = task.step.entry.dumpId;
    return { ...task, needs };
  });
}

function isWanted(entry: TocEntry, options: PlanOptions, leftOut: string[]): boolean {
  if (settings.has(entry.desc)) return false;
  if (attached.has(entry.desc) && entry.tag.startsWith("DATABASE ")) return false;
  if (options.selected !== null && !options.selected.has(entry.dumpId)) return false;
  if (!options.grants && grants.has(entry.desc)) return false;
  if (!options.rows && isData(entry)) return false;
  if (entry.desc === "STATISTICS DATA" && options.serverVersion < firstWithStatistics) return false;
  if (entry.desc === "SUBSCRIPTION TABLE") {
    leftOut.push(`the state of ${entry.tag} in its subscription`);
    return false;
  }
  return true;
}

/** Rows, sequences' values and large objects: what --schema-only leaves out. */
function isData(entry: TocEntry): boolean {
  if (entry.desc === "MATERIALIZED VIEW DATA") return false;
  return entry.section === "data" || entry.desc.startsWith("BLOB") || /^LARGE OBJECTS? /.test(entry.tag);
}

function isOfEventTrigger(entry: TocEntry): boolean {
  return entry.desc === "EVENT TRIGGER" || (attached.has(entry.desc) && entry.tag.startsWith("EVENT TRIGGER "));
}

function stepMaker(toc: Toc, wanted: readonly TocEntry[], options: PlanOptions, leftOut: string[]) {
  const byId = new Map(toc.entries.map((entry) => [entry.dumpId, entry]));
  const made = new Set(wanted.filter(({ desc }) => desc === "TABLE").map(({ dumpId }) => dumpId));
  const pathPerEntry = !toc.entries.some(({ desc }) => desc === "SEARCHPATH");
  return (entry: TocEntry): Step | null => {
    if (entry.desc === "TABLE DATA") {
      if (!entry.hadDumper) return null;
      const own = made.has(entry.dependencies[0] ?? -1) && !viaRoot(entry);
      return { kind: "rows", entry, own, bytes: options.dataBytes(entry) ?? unknownBytes };
    }
    if (entry.desc === "BLOBS") return { kind: "large-objects", entry, bytes: options.dataBytes(entry) ?? 0 };
    const owner = options.owners && entry.owner && entry.owner !== options.self ? entry.owner : null;
    const sql = sqlOf(entry, owner, byId, options);
    if (sql === null) return null;
    if (!entry.tablespace || options.tablespaces.has(entry.tablespace))
      return { kind: "sql", entry, sql: inPlace(entry, sql, pathPerEntry) };
    leftOut.push(
      `the tablespace ${entry.tablespace} of ${qualified(entry.namespace, entry.tag)}: the server has none of that name`,
    );
    return { kind: "sql", entry, sql: inPlace({ ...entry, tablespace: "" }, sql, pathPerEntry) };
  };
}

/** Rows of a partition that were dumped to be loaded through its root may end in any partition. */
export function viaRoot(entry: TocEntry): boolean {
  return entry.defn?.startsWith("-- load via partition root") ?? false;
}

function sqlOf(
  entry: TocEntry,
  owner: string | null,
  byId: ReadonlyMap<number, TocEntry>,
  options: PlanOptions,
): string | null {
  if (entry.desc === "BLOB METADATA") return makeLargeObjects(entry, owner);
  if (!entry.defn) return null;
  if (entry.desc === "ACL" && entry.tag.startsWith("LARGE OBJECTS ")) {
    const group = entry.dependencies.map((id) => byId.get(id)).find((found) => found?.desc === "BLOB METADATA");
    return group === undefined ? null : grantsOfGroup(entry.defn, largeObjectIds(group));
  }
  // What is not made here does not belong to the restoring role yet.
  const there = isOnlyComment(entry.defn);
  const alter = options.owners && (owner !== null || there) ? ownerStatement(entry) : null;
  return [...(there ? [] : [entry.defn]), ...(alter === null ? [] : [alter])].join("\n;\n") || null;
}

const partitioned = "p".charCodeAt(0);

/** With the settings that the statement is run under, where they differ from the session's. */
function inPlace(entry: TocEntry, sql: string, pathPerEntry: boolean): string {
  const set: [string, string, string][] = [];
  if (entry.tablespace) set.push(["default_tablespace", quoteLiteral(entry.tablespace), "''"]);
  const method = entry.tableam && entry.tableam !== "heap" ? entry.tableam : null;
  if (method !== null && entry.relkind !== partitioned)
    set.push(["default_table_access_method", quoteLiteral(method), "heap"]);
  if (pathPerEntry && entry.namespace)
    set.push(["search_path", `${qualified(null, entry.namespace)}, pg_catalog`, "''"]);
  // A view is filled with what its owner may see, as it was where the archive was made.
  if (entry.desc === "MATERIALIZED VIEW DATA") set.push(["row_security", "on", "off"]);
  const after =
    method !== null && entry.relkind === partitioned
      ? [`ALTER TABLE ${qualified(entry.namespace, entry.tag)} SET ACCESS METHOD ${qualified(null, method)};`]
      : [];
  return [
    ...set.map(([name, value]) => `SET LOCAL ${name} = ${value};`),
    sql,
    ...after,
    ...set.map(([name, , usual]) => `;SET LOCAL ${name} = ${usual};`),
  ].join("\n");
}
