import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { ArchivedSequence } from "../types.ts";
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
  const sequences = await readSequences(session, ofKind(entries, "SEQUENCE"));
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

/** Sequences whose values one query reads. */
const perQuery = 200;

async function readSequences(session: Session, entries: readonly Entry[]): Promise<SequenceToArchive[]> {
  const values = await readValues(
    session,
    entries.map(({ schema, name }) => ({ schema: schema!, name })),
  );
  return entries.map((entry, index) => ({ entry: entry.key, ...values[index]! }));
}

/** The values of sequences, in their order. */
export async function readValues(
  session: Session,
  sequences: readonly { readonly schema: string; readonly name: string }[],
): Promise<ArchivedSequence[]> {
  const values: ArchivedSequence[] = [];
  for (let at = 0; at < sequences.length; at += perQuery) {
    const part = sequences.slice(at, at + perQuery);
    const rows = await session.run(
      part
        .map(
          ({ schema, name }, n) =>
            `select ${n} as n, last_value::text as last, is_called from ${qualified(schema, name)}`,
        )
        .join(" union all "),
    );
    const byNumber = new Map(rows.map((row) => [row.n as number, row]));
    part.forEach(({ schema, name }, n) => {
      const row = byNumber.get(n)!;
      values.push({ schema, name, lastValue: row.last, isCalled: row.is_called });
    });
  }
  return values;
}

function ofKind(entries: readonly Entry[], kind: string): Entry[] {
  return entries.filter((entry) => entry.kind === kind);
}

function oidsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ address }) => String(address.objid));
}
