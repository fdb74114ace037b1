import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { SequenceToArchive, TableToArchive } from "./layout.ts";

/** What of a catalog's entries holds data: all rows, sequence values and filled materialised views. */
export interface CatalogData {
  readonly tables: TableToArchive[];
  readonly sequences: SequenceToArchive[];
  readonly materializedViews: string[];
}

/** Reads it in the session's transaction, for the entries given; they stay in order. */
export async function readCatalogData(session: Session, entries: readonly Entry[]): Promise<CatalogData> {
  const tables = await readTables(session, ofKind(entries, "TABLE"));
  const sequences: SequenceToArchive[] = [];
  for (const entry of ofKind(entries, "SEQUENCE")) sequences.push(await readSequence(session, entry));
  const views = ofKind(entries, "MATERIALIZED VIEW");
  const filled = await session.sql<{ oid: string }[]>`
    select oid::text as oid from pg_catalog.pg_class
    where relispopulated and oid = any (${oidsOf(views)}::text[]::oid[])`;
  const isFilled = new Set(filled.map(({ oid }) => oid));
  const materializedViews = views.filter(({ address }) => isFilled.has(String(address.objid))).map(({ key }) => key);
  return { tables, sequences, materializedViews };
}

async function readTables(session: Session, entries: readonly Entry[]): Promise<TableToArchive[]> {
  const rows = await session.sql<{ oid: string; columns: string[] | null; bytes: string }[]>`
    select c.oid::text as oid, pg_catalog.pg_table_size(c.oid)::text as bytes,
      (select array_agg(a.attname::text order by a.attnum) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
    from pg_catalog.pg_class c where c.relkind = 'r' and c.oid = any (${oidsOf(entries)}::text[]::oid[])`;
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  return entries.flatMap((entry) => {
    const row = byOid.get(String(entry.address.objid));
    if (row === undefined || entry.schema === null) return [];
    const place = { entry: entry.key, schema: entry.schema, table: entry.name };
    return [{ ...place, columns: row.columns ?? [], role: "table", mergesInto: null, sizeHint: Number(row.bytes) }];
  });
}

async function readSequence(session: Session, entry: Entry): Promise<SequenceToArchive> {
  const [row] = await session.run(
    `select last_value::text as last, is_called from ${qualified(entry.schema, entry.name)}`,
  );
  return { entry: entry.key, schema: entry.schema!, name: entry.name, lastValue: row!.last, isCalled: row!.is_called };
}

function ofKind(entries: readonly Entry[], kind: string): Entry[] {
  return entries.filter((entry) => entry.kind === kind);
}

function oidsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ address }) => String(address.objid));
}
