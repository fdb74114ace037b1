import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import type { Address } from "../types.ts";
import { type Check, readChecks } from "./checks.ts";
import { type Column, readColumns } from "./columns.ts";
import { optionsSql } from "./foreign-data.ts";
import { inScope, touches } from "./in-scope.ts";
import { type References, readReferences } from "./references.ts";
import { addressOf, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";
import { type ForeignTable, hasDefault, type Table, tableColumn } from "./table-model.ts";
import { partsAfterTable } from "./table-parts.ts";
import { attachPartition, createTable } from "./table-text.ts";

const shared = new WeakMap<KindContext, Promise<readonly Table[]>>();

/** Every table in scope with what it writes itself; read once per context. */
export function readTables(context: KindContext): Promise<readonly Table[]> {
  let tables = shared.get(context);
  if (tables === undefined) {
    tables = buildTables(context);
    shared.set(context, tables);
  }
  return tables;
}

async function buildTables(context: KindContext): Promise<readonly Table[]> {
  const [relations, columns, checks, foreign, references] = await Promise.all([
    readRelations(context),
    readColumns(context),
    readChecks(context),
    readForeignTables(context),
    readReferences(context),
  ]);
  const after = partsAfterTable(columns.values(), checks, references);
  const checksOf = Map.groupBy(checks, (check) => check.relation);
  const tables: Table[] = [];
  for (const relation of relations.values()) {
    if (!tableKinds.has(relation.kind) || relation.isExtensionMember) continue;
    tables.push({
      relation,
      parents: relation.parents.flatMap((oid) => relations.get(oid) ?? []),
      columns: (columns.get(relation.oid) ?? []).map((column) =>
        tableColumn(relation, column, parentColumns(relation, column, relations, columns), isAfter(after, column)),
      ),
      checks: (checksOf.get(relation.oid) ?? []).filter((check) => isInline(relation, check, after)),
      foreign: foreign.get(relation.oid) ?? null,
    });
  }
  return tables;
}

const tableKinds: ReadonlySet<string> = new Set(["r", "p", "f"]);

async function readForeignTables(context: KindContext): Promise<ReadonlyMap<number, ForeignTable>> {
  if (!context.hasServers || !touches(context, catalogOid.class)) return new Map();
  const rows = await context.session.sql<ForeignTable[]>`
    select f.ftrelid::int8::float8 as oid, s.srvname::text as server, ${optionsSql(context, "f.ftoptions")} as options
    from pg_catalog.pg_foreign_table f join pg_catalog.pg_foreign_server s on s.oid = f.ftserver
    where true ${inScope(context, catalogOid.class, context.session.sql`f.ftrelid`)}`;
  return new Map(rows.map((row) => [row.oid, row]));
}

/** The parents' columns of the same name; one whose own parent's default was undone has the default NULL. */
function parentColumns(
  relation: Relation,
  column: Column,
  relations: ReadonlyMap<number, Relation>,
  columns: ReadonlyMap<number, readonly Column[]>,
): readonly Column[] {
  return relation.parents.flatMap((oid) => {
    const parent = relations.get(oid);
    const found = columns.get(oid)?.find(({ name }) => name === column.name);
    if (parent === undefined || found === undefined) return [];
    if (found.expression !== null) return [found];
    const undone = parentColumns(parent, found, relations, columns).some(hasDefault);
    return [undone ? { ...found, expression: "NULL" } : found];
  });
}

function isAfter(after: ReadonlySet<string>, column: Column): boolean {
  return column.defaultOid !== null && after.has(`${catalogOid.attrdef} ${column.defaultOid}`);
}

/** A partition repeats its parent's checks, because ATTACH PARTITION expects them. */
function isInline(relation: Relation, check: Check, after: ReadonlySet<string>): boolean {
  if (!check.validated || after.has(`${catalogOid.constraint} ${check.oid}`)) return false;
  return check.isLocal || relation.isPartition;
}

/** TABLE, FOREIGN TABLE and TABLE ATTACH entries. */
export const tables: KindReader = async (context) => {
  const relations = await readRelations(context);
  const references = await readReferences(context);
  const entries: RawEntry[] = [];
  for (const table of await readTables(context)) {
    entries.push(tableEntry(table, references, context.serverVersion));
    const parent = table.relation.isPartition ? relations.get(table.relation.parents[0]!) : undefined;
    if (parent !== undefined) entries.push(attachEntry(parent, table.relation));
  }
  return entries;
};

function tableEntry(table: Table, references: References, serverVersion: number): RawEntry {
  const { relation } = table;
  const kind = table.foreign === null ? "TABLE" : "FOREIGN TABLE";
  return {
    kind,
    schema: relation.schema,
    name: relation.name,
    owner: relation.owner,
    section: "pre-data",
    create: createTable(table, serverVersion),
    drop: `DROP ${kind} ${relationName(relation)};\n`,
    tablespace: table.foreign === null ? relation.tablespace : null,
    tableam: relation.kind === "r" ? relation.accessMethod : null,
    copy: null,
    address: addressOf(catalogOid.class, relation.oid),
    dependsOn: inlineReferences(table, references),
  };
}

/** What the defaults and checks inside CREATE TABLE refer to: pg_depend names it for them, not for the table. */
function inlineReferences({ relation, columns, checks }: Table, references: References): readonly Address[] {
  const parts = [
    ...columns
      .filter(({ expression, column }) => expression === "inline" && column.defaultOid !== null)
      .map(({ column }) => addressOf(catalogOid.attrdef, column.defaultOid!)),
    ...checks.map((check) => addressOf(catalogOid.constraint, check.oid)),
  ];
  return parts
    .flatMap((part) => references.of(part.classid, part.objid))
    .filter((reference) => reference.classid !== catalogOid.class || reference.objid !== relation.oid);
}

function attachEntry(parent: Relation, partition: Relation): RawEntry {
  return {
    kind: "TABLE ATTACH",
    schema: partition.schema,
    name: partition.name,
    owner: partition.owner,
    section: "pre-data",
    create: attachPartition(parent, partition),
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    // pg_inherits has no oids, so the partition's stands for the attachment.
    address: addressOf(catalogOid.inherits, partition.oid),
    dependsOn: [
      addressOf(catalogOid.class, partition.oid),
      addressOf(catalogOid.class, parent.oid),
      // From the top down, because attaching passes an identity on to the partition, but not to partitions of that.
      ...(parent.isPartition ? [addressOf(catalogOid.inherits, parent.oid)] : []),
    ],
  };
}
