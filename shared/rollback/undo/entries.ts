import { compareCatalogs } from "../../catalog/differences.ts";
import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { hangsOn } from "../guard/hangers.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { type TableRepair, tableRepair } from "./columns.ts";
import { attributesBack } from "./composites.ts";
import { domainBack } from "./domains.ts";
import { enumMadeAgain } from "./enum-made-again.ts";
import { labelsBack } from "./enums.ts";
import { madeAgain } from "./made-again.ts";
import { goesLast, lateRemoval, madeFirst } from "./order.ts";
import { ownership } from "./ownership.ts";
import { attachedLast, partitionKeys } from "./partitions.ts";
import { isIdentity, sequenceRepair } from "./sequences.ts";

/** SQL that puts the schema back, in two parts: the rows are loaded between them. */
export interface SchemaBack {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Materialised views that are made again, as they are now: they come without rows. */
  readonly views: readonly Entry[];
}

/** Kinds whose body is replaced in place, so that what depends on them stays. */
const replaceable = new Set(["FUNCTION", "PROCEDURE", "VIEW"]);

/** Parts of a table that hang on something else too (another table, a function, a sequence): they go by themselves. */
const hangsOnTwo = new Set(["FK CONSTRAINT", "TRIGGER", "POLICY", "DEFAULT"]);

/**
 * SQL that leads from the catalog of now to the expected one, by the entries' own texts.
 * `emptied`: keys of surviving tables whose rows were taken out. `gained`: columns that the rollback added, by table's oid.
 */
export function schemaFromEntries(
  expected: readonly Entry[],
  now: readonly Entry[],
  emptied: ReadonlySet<string>,
  gained: ReadonlyMap<number, readonly string[]>,
): SchemaBack {
  const { removed: goes, added: comes, changed: all } = compareCatalogs({ entries: now }, { entries: expected });
  const views = madeAgain(
    { changed: all, removed: goes },
    now,
    expected,
    (change) => alteration(change.before, change.after, now, emptied) !== null,
  );
  const apart = new Set(views.map(({ after: { key } }) => key));
  const changed = all.filter(({ after: { key } }) => !apart.has(key));
  const before: string[] = [];
  const after: string[] = [];
  const goingKeys = new Set(goes.map(({ key }) => key));
  const going = goes.filter((entry) => hangsOnTwo.has(entry.kind) || !hangsOn(entry, goingKeys));
  const altered = changed.map(({ before: current, after: target }) => ({
    target,
    sql: alteration(current, target, now, emptied),
  }));
  const remade = [...changed.filter((_, index) => altered[index]!.sql === null), ...views];
  const partitions = partitionKeys(expected);
  const coming = [...comes, ...remade.map((change) => change.after)];
  const staying = changed.flatMap(({ after: { kind, key } }) => (kind === "TABLE" || kind === "TYPE" ? [key] : []));
  const first = madeFirst(coming, new Set(staying));
  const leaving = new Set([...remade.map((change) => change.before), ...going.filter((entry) => !goesLast(entry))]);
  for (const entry of now.filter((one) => leaving.has(one)).reverse()) before.push(...removal(entry));
  for (const entry of inCreationOrder(coming)) if (first.has(entry.key)) before.push(...creation(entry));

  for (const [index, { before: current, after: target }] of changed.entries()) {
    if (target.kind === "TABLE") {
      const how = {
        empty: emptied.has(target.key),
        partition: partitions.has(target.key),
        made: gained.get(current.address.objid) ?? [],
      };
      const repair: TableRepair = tableRepair(target, current, how);
      before.push(...repair.before);
      after.push(...repair.after);
    } else before.push(...(altered[index]!.sql ?? []));
    if (current.owner !== target.owner && altered[index]!.sql !== null) before.push(...ownership(target));
  }
  for (const entry of going.filter(goesLast).reverse()) before.push(...removal(entry).map(lateRemoval));
  const made = new Set(coming.filter(({ kind }) => kind === "TABLE").map(({ key }) => key));
  const late = new Set<string>();
  const last: Entry[] = [];
  for (const entry of inCreationOrder(coming)) {
    const isLate =
      isLateAttach(entry, made) ||
      entry.section === "post-data" ||
      (isIdentity(entry) && !entry.dependencies.some((key) => made.has(key))) ||
      entry.dependencies.some((key) => late.has(key));
    if (isLate) late.add(entry.key);
    if (entry.section === "data" || first.has(entry.key)) continue;
    if (isLate) last.push(entry);
    else before.push(...creation(entry));
  }
  for (const entry of attachedLast(last)) after.push(...creation(entry));
  const goneViews = views.map((change) => change.before).filter(({ kind }) => kind === "MATERIALIZED VIEW");
  return { before, after, views: goneViews };
}

/** A parent that stays gives its keys to what is attached: the partition's own keys have to be there first. */
function isLateAttach(entry: Entry, made: ReadonlySet<string>): boolean {
  return (
    entry.kind === "TABLE ATTACH" && !entry.dependencies.every((key) => !key.startsWith("TABLE ") || made.has(key))
  );
}

/** SQL that changes an entry in place, so that what depends on it stays; null when it has to be made again. */
function alteration(
  current: Entry,
  target: Entry,
  now: readonly Entry[],
  emptied: ReadonlySet<string>,
): string[] | null {
  if (target.kind === "TABLE" || isSameButForOwner(current, target)) return [];
  if (replaceable.has(target.kind)) return [replaced(target)];
  if (target.kind === "SEQUENCE") return sequenceRepair(current, target);
  if (target.kind === "DOMAIN") return domainBack(current, target);
  if (target.kind === "TYPE")
    return (
      labelsBack(current, target) ??
      enumMadeAgain(current, target, now, emptied) ??
      attributesBack(current, target, now, emptied)
    );
  return null;
}

/** What the catalog was before the rollback: what is there now, without what it made, with what it destroyed and changed. */
export function expectedEntries(remembered: Remembered, now: readonly Entry[]): Entry[] {
  const expected = new Map(now.map((entry) => [entry.key, entry]));
  for (const entry of remembered.added) expected.delete(entry.key);
  for (const entry of remembered.removed) expected.set(entry.key, entry);
  for (const change of remembered.changed) expected.set(change.before.key, change.before);
  return [...expected.values()];
}

const name = /(?:"(?:[^"]|"")*"|[a-z0-9_]+)/.source;

/** `ALTER PUBLICATION p` and the table or schema that is added to it, without its columns and filter. */
const addedToPublication = new RegExp(
  `^(ALTER PUBLICATION ${name}) ADD (TABLE ONLY ${name}\\.${name}|TABLES IN SCHEMA ${name}).*$`,
  "s",
);

const attaching = new RegExp(`^(.*) ATTACH PARTITION (${name}\\.${name}) .*$`, "s");

/** How an entry that was not there before goes away again. */
function removal(entry: Entry): string[] {
  if (entry.drop !== null && entry.drop.trim() !== "") return [entry.drop];
  if (entry.kind === "COMMENT") return [entry.create.replace(/ IS '.*';\s*$/s, " IS NULL;")];
  if (entry.kind === "SECURITY LABEL") return [entry.create.replaceAll(/ IS '(?:[^']|'')*';\n/g, " IS NULL;\n")];
  if (entry.kind.startsWith("PUBLICATION TABLE")) return [entry.create.replace(addedToPublication, "$1 DROP $2;")];
  if (entry.kind === "SEQUENCE OWNED BY") return [entry.create.replace(/ OWNED BY .*;\s*$/s, " OWNED BY NONE;")];
  if (entry.kind === "TABLE ATTACH") return [entry.create.replace(attaching, "$1 DETACH PARTITION $2;")];
  if (isIdentity(entry)) return [entry.create.replace(/ ADD GENERATED .*$/s, " DROP IDENTITY;")];
  // Grants are settled when everything is back: default privileges may have changed since.
  return [];
}

function replaced(entry: Entry): string {
  return entry.create.replace(/^(\s*CREATE )(?!OR REPLACE)/, "$1OR REPLACE ");
}

function inCreationOrder(entries: readonly Entry[]): Entry[] {
  const left = new Map(entries.map((entry) => [entry.key, entry]));
  const ordered: Entry[] = [];
  const visit = (entry: Entry) => {
    if (!left.delete(entry.key)) return;
    for (const key of entry.dependencies) {
      const needed = left.get(key);
      if (needed !== undefined) visit(needed);
    }
    ordered.push(entry);
  };
  for (const section of ["pre-data", "data", "post-data", "none"] as const)
    for (const entry of entries) if (entry.section === section) visit(entry);
  return ordered;
}

function isSameButForOwner(current: Entry, target: Entry): boolean {
  const { create, tablespace, tableam } = target;
  return current.create === create && current.tablespace === tablespace && current.tableam === tableam;
}

/** CREATE with what it takes from settings: the tablespace and the table access method. */
function creation(entry: Entry): string[] {
  const { create, tablespace, tableam } = entry;
  const made = [create, ...ownership(entry)];
  if (tablespace) made.unshift(`set local default_tablespace = ${quoteIdent(tablespace)}`);
  if (tablespace) made.push("set local default_tablespace = ''");
  if (tableam !== null && tableam !== "heap") {
    made.unshift(`set local default_table_access_method = ${quoteIdent(tableam)}`);
    made.push("set local default_table_access_method = heap");
  }
  return made;
}
