import { quoteIdent } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import type { TocEntry } from "../../format/toc.ts";

/** The entries that restore some tables, and what could not come along. */
export interface Selection {
  readonly ids: ReadonlySet<number>;
  /** In words: foreign keys to tables that are not selected, and tables that are made without their rows. */
  readonly leftOut: readonly string[];
  /** The tables asked for. */
  readonly tables: readonly TocEntry[];
}

/** What a table brings along: it names the table among its dependencies. */
const parts = new Set([
  ...["DEFAULT", "SEQUENCE", "SEQUENCE OWNED BY", "CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "STATISTICS", "TRIGGER"],
  ...["RULE", "POLICY", "ROW SECURITY", "TABLE DATA", "STATISTICS DATA"],
]);
const annotations = new Set(["COMMENT", "SECURITY LABEL", "ACL"]);

/** Entries for these tables (`schema.table`, or a name that is there once); throws `usage` for one that is not there. */
export function selectTables(entries: readonly TocEntry[], names: readonly string[]): Selection {
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const tables = withPartitions(
    entries,
    names.map((name) => findTable(entries, name)),
  );
  const wanted = new Set(tables.map(({ dumpId }) => dumpId));
  const ids = new Set(wanted);
  const isSelected = (id: number) => ids.has(id) || !byId.has(id) || byId.get(id)!.section === "data";
  for (const entry of entries)
    if (parts.has(entry.desc) && entry.dependencies.some((id) => wanted.has(id)) && belongs(entry, wanted, byId))
      ids.add(entry.dumpId);
  addNeeded(ids, byId);
  for (const entry of entries) {
    const [first] = entry.dependencies;
    if (entry.desc === "SEQUENCE SET" && first !== undefined && ids.has(first)) ids.add(entry.dumpId);
    if (
      (entry.desc === "SEQUENCE OWNED BY" || entry.desc === "TABLE ATTACH" || entry.desc === "INDEX ATTACH") &&
      entry.dependencies.every(isSelected)
    )
      ids.add(entry.dumpId);
  }
  const leftOut: string[] = [];
  for (const entry of entries) {
    if (entry.desc !== "FK CONSTRAINT" || !entry.dependencies.some((id) => wanted.has(id))) continue;
    if (entry.dependencies.every(isSelected)) ids.add(entry.dumpId);
    else if (belongs(entry, wanted, byId))
      leftOut.push(
        `the foreign key ${entry.namespace}.${entry.tag} was left out: it leads to a table that is not restored`,
      );
  }
  for (const entry of entries)
    if (annotations.has(entry.desc) && entry.dependencies.some((id) => ids.has(id))) ids.add(entry.dumpId);
  for (const id of ids) {
    const entry = byId.get(id)!;
    if (entry.desc === "TABLE" && !wanted.has(id))
      leftOut.push(`the table ${entry.namespace}.${entry.tag} was made without its rows: a selected one needs it`);
  }
  return { ids, leftOut, tables };
}

/** A trigger or rule may depend on other tables too: it belongs to the one that its tag begins with. */
function belongs(entry: TocEntry, wanted: ReadonlySet<number>, byId: ReadonlyMap<number, TocEntry>): boolean {
  return entry.dependencies.some((id) => {
    const table = byId.get(id);
    if (table === undefined || !wanted.has(id) || table.namespace !== entry.namespace) return false;
    const named = !["TRIGGER", "RULE", "POLICY", "FK CONSTRAINT", "CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT"].includes(
      entry.desc,
    );
    return named || entry.tag.startsWith(`${table.tag} `);
  });
}

/** Schemas, types, functions and sequences that the selected entries depend on, at any depth. */
function addNeeded(ids: Set<number>, byId: ReadonlyMap<number, TocEntry>): void {
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const needed of byId.get(id)?.dependencies ?? []) {
      const entry = byId.get(needed);
      if (entry === undefined || ids.has(needed) || entry.section === "data") continue;
      ids.add(needed);
      open.push(needed);
    }
  for (const entry of byId.values())
    if (entry.desc === "SCHEMA" && [...ids].some((id) => byId.get(id)?.namespace === entry.tag)) ids.add(entry.dumpId);
}

/** A partitioned table is restored with its partitions. */
function withPartitions(entries: readonly TocEntry[], tables: readonly TocEntry[]): TocEntry[] {
  const all = new Set(tables);
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const attached = entries.filter(({ desc }) => desc === "TABLE ATTACH");
  for (const table of all)
    for (const { dependencies } of attached) {
      const partition = byId.get(dependencies[0] ?? -1);
      if (dependencies[1] === table.dumpId && partition !== undefined) all.add(partition);
    }
  return [...all];
}

function findTable(entries: readonly TocEntry[], name: string): TocEntry {
  const tables = entries.filter(({ desc }) => desc === "TABLE" || desc === "FOREIGN TABLE");
  const found = tables.filter(({ namespace, tag }) =>
    [`${namespace}.${tag}`, `${quoteIdent(namespace ?? "")}.${quoteIdent(tag)}`, tag].includes(name),
  );
  const exact = found.filter(({ tag }) => tag !== name);
  const [only, ...others] = exact.length > 0 ? exact : found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined)
    throw new BelayError("usage", `the archive has several tables ${name}`, {
      hint: `Name its schema: ${found.map(({ namespace, tag }) => `${namespace}.${tag}`).join(", ")}`,
    });
  const other = entries.find(
    ({ namespace, tag, section, desc }) =>
      section === "pre-data" && desc !== "DEFAULT" && [`${namespace}.${tag}`, tag].includes(name),
  );
  throw new BelayError(
    "usage",
    other === undefined
      ? `the archive has no table ${name}`
      : `${name} is no table: it is a ${other.desc.toLowerCase()}`,
    {
      hint: `\`belay archives show\` lists its tables, for example ${tables
        .slice(0, 5)
        .map(({ namespace, tag }) => `${namespace}.${tag}`)
        .join(", ")}.`,
    },
  );
}
