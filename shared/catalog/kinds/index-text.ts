import { qualified, quoteIdent } from "../identifiers.ts";
import type { Index, IndexConstraint } from "./index-model.ts";
import { optionList } from "./options.ts";
import { relationName } from "./relations.ts";

export function indexName(index: Index): string {
  return qualified(index.table.schema, index.name);
}

/** CREATE INDEX with CLUSTER ON, column statistics and REPLICA IDENTITY. */
export function createIndex(index: Index): string {
  let text = `${index.definition};\n${clusterOn(index)}`;
  for (const { column, value } of index.statistics)
    text += `ALTER INDEX ${indexName(index)} ALTER COLUMN ${column} SET STATISTICS ${value};\n`;
  return text + dependsOnExtensions(index) + replicaIdentity(index);
}

/**
 * Whether no index can be attached to a partitioned index: the server compares none that excludes (CompareIndexInfo in
 * index.c), so pg_dump's ALTER INDEX ... ATTACH PARTITION fails for exclusion constraints and WITHOUT OVERLAPS.
 */
export function cannotAttach(index: Index): boolean {
  return index.constraint?.definition != null;
}

/**
 * ALTER TABLE ... ADD CONSTRAINT for a primary key, unique or exclusion constraint. `partitions` are the indexes below
 * one that cannot be attached: the server makes them with it, and here they get their names.
 */
export function addIndexConstraint(
  index: Index,
  constraint: IndexConstraint,
  partitions: readonly Index[] = [],
): string {
  const only = index.table.kind === "p" && cannotAttach(index) ? "" : "ONLY ";
  return (
    `ALTER TABLE ${only}${relationName(index.table)}\n    ADD CONSTRAINT ${quoteIdent(constraint.name)} ` +
    `${constraint.definition ?? keyDefinition(index, constraint)};\n` +
    partitions.map((one) => renamed(one) + clusterOn(one) + replicaIdentity(one)).join("") +
    clusterOn(index) +
    replicaIdentity(index) +
    dependsOnExtensions(index)
  );
}

/** The server names a partition's constraint after its table and columns. */
function renamed(index: Index): string {
  const constraint = index.constraint!;
  const columns = index.keyColumns.map((column) => column ?? "expr").join("_");
  const ending = { p: "pkey", u: `${columns}_key`, x: `${columns}_excl` }[constraint.type];
  const made = `${index.table.name}_${ending}`;
  if (made === constraint.name) return "";
  return `ALTER TABLE ${relationName(index.table)} RENAME CONSTRAINT ${quoteIdent(made)} TO ${quoteIdent(constraint.name)};\n`;
}

function keyDefinition(index: Index, constraint: IndexConstraint): string {
  let text = constraint.type === "p" ? "PRIMARY KEY" : "UNIQUE";
  if (index.nullsNotDistinct && constraint.type !== "p") text += " NULLS NOT DISTINCT";
  text += ` (${columnList(index.keyColumns)}`;
  if (index.includedColumns.length > 0) text += `) INCLUDE (${columnList(index.includedColumns)}`;
  text += ")";
  if (index.options.length > 0) text += ` WITH (${optionList(index.options)})`;
  if (constraint.deferrable) text += " DEFERRABLE";
  if (constraint.deferred) text += " INITIALLY DEFERRED";
  return text;
}

function columnList(names: readonly (string | null)[]): string {
  return names.map((name) => quoteIdent(name ?? "")).join(", ");
}

function clusterOn(index: Index): string {
  if (!index.isClustered) return "";
  return `\nALTER TABLE ${relationName(index.table)} CLUSTER ON ${quoteIdent(index.name)};\n`;
}

function replicaIdentity(index: Index): string {
  if (!index.isReplicaIdentity) return "";
  return `\nALTER TABLE ONLY ${relationName(index.table)} REPLICA IDENTITY USING INDEX ${quoteIdent(index.name)};\n`;
}

function dependsOnExtensions(index: Index): string {
  return index.extensions
    .map((extension) => `ALTER INDEX ${indexName(index)} DEPENDS ON EXTENSION ${quoteIdent(extension)};\n`)
    .join("");
}
