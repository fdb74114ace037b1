import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { TocEntry } from "../format/toc.ts";
import type { ArchivedSequence, ArchivedTable } from "../types.ts";
import { catalogEntry, largeObjectData, preamble, refresh, sequenceSet, tableData } from "./toc-entries.ts";

/** One table to archive: which entry makes it on restore, and where its rows are read from. */
export interface TableToArchive {
  /** Key of the TABLE entry, among the entries, that the rows are loaded into; null when `comesWith` something else. */
  readonly entry: string | null;
  /** A table that is there before the archive is restored, or that an extension brings. */
  readonly comesWith?: {
    readonly oid: number;
    readonly owner: string;
    /** Key of the EXTENSION entry, when it is among the entries. */
    readonly entry?: string;
    /** Key that entries know the table by which hang on it: they wait for its rows. */
    readonly table?: string;
    /** Oids of such tables whose rows must be there first: foreign keys stand already. */
    readonly references?: readonly number[];
  };
  readonly schema: string;
  readonly table: string;
  /** Columns in COPY order: stored ones, generated ones left out. */
  readonly columns: readonly string[];
  readonly role: ArchivedTable["role"];
  readonly mergesInto: ArchivedTable["mergesInto"];
  /** Where the rows are now, when not in the table itself: a side table's rows are those of the surviving table. */
  readonly from?: {
    readonly schema: string;
    readonly table: string;
    readonly where?: string;
    /** SQL behind `FROM table`, as extensions say it of their configuration tables. */
    readonly suffix?: string;
  };
  /** Bytes that the table takes in the source; orders the work and sizes the upload's parts. */
  readonly sizeHint?: number;
}

export interface SequenceToArchive extends ArchivedSequence {
  /** Key of its SEQUENCE entry; without one, and when it does not come with an extension, it is in the manifest alone. */
  readonly entry?: string;
  readonly comesWith?: TableToArchive["comesWith"];
}

export interface LayoutInput {
  /** In creation order. */
  readonly entries: readonly Entry[];
  /** Of the database itself, for `pg_restore --create`; in no digest. */
  readonly databaseEntries?: readonly Entry[];
  readonly tables: readonly TableToArchive[];
  readonly sequences: readonly SequenceToArchive[];
  /** Oids of the large objects, whose BLOB entries are among the entries. */
  readonly largeObjects?: readonly number[];
  /** Keys of MATERIALIZED VIEW entries that hold rows and are refreshed after the data. */
  readonly materializedViews: readonly string[];
}

/** The table of contents before anything is written: every entry with its number, and each table's data file. */
export interface ArchiveLayout {
  readonly toc: readonly TocEntry[];
  readonly tables: readonly { readonly table: TableToArchive; readonly file: string }[];
}

/** Numbers everything in the order in which it is restored: pre-data, rows, large objects, sequences, post-data, refreshes. */
export function layOut(input: LayoutInput): ArchiveLayout {
  const { before, after } = bySection(input.entries);
  const database = input.databaseEntries ?? [];
  const ids = new Map<string, number>();
  const toc: TocEntry[] = preamble();
  let next = toc.length + 1;
  const byKey = new Map(input.entries.map((entry) => [entry.key, entry]));
  for (const entry of [...database, ...before]) ids.set(entry.key, next++);
  // A table that is not in the archive has a number of its own all the same: its rows say it first.
  const data = input.tables.map((table) => ({ table, tableId: table.entry === null ? next++ : null, id: next++ }));
  for (const { table, tableId } of data)
    if (tableId !== null && table.comesWith?.table !== undefined) ids.set(table.comesWith.table, tableId);
  const blobsId = (input.largeObjects ?? []).length === 0 ? null : next++;
  const sequences = input.sequences.flatMap((one) => (inToc(one) ? [{ sequence: one, id: next++ }] : []));
  for (const entry of after) ids.set(entry.key, next++);
  const views = input.materializedViews.map((key) => ({ entry: required(byKey, key), id: next++ }));

  const idOf = (key: string) => ids.get(key) ?? missing(key);
  const idsOf = (keys: readonly string[]) => keys.flatMap((key) => ids.get(key) ?? []);
  const made = (entry: Entry) => catalogEntry(entry, idOf(entry.key), idsOf(entry.dependencies));
  const dataIds = new Map(
    data.flatMap(({ table, id }) => (table.comesWith ? [[table.comesWith.oid, id] as const] : [])),
  );
  const besides = ({ comesWith }: TableToArchive) => [
    ...idsOf([comesWith?.entry ?? ""]),
    ...(comesWith?.references ?? []).flatMap((oid) => dataIds.get(oid) ?? []),
  ];
  toc.push(...database.map(made), ...before.map(made));
  for (const { table, tableId, id } of data) {
    const first = tableId ?? idOf(table.entry!);
    toc.push(tableData(table, ownerOf(byKey, table), id, [first, ...besides(table)]));
  }
  if (blobsId !== null) toc.push(largeObjectData(blobsId));
  for (const { sequence, id } of sequences)
    toc.push(
      sequenceSet(sequence, ownerOf(byKey, sequence), id, idsOf([sequence.entry ?? sequence.comesWith?.entry ?? ""])),
    );
  toc.push(...after.map(made));
  for (const { entry, id } of views) {
    const inner = views
      .filter((other) => other !== undefined && needs(byKey, entry, other.entry.key))
      .map((other) => other.id);
    toc.push(refresh(entry, id, [idOf(entry.key), ...inner]));
  }
  return { toc, tables: data.map(({ table, id }) => ({ table, file: `${id}.dat.gz` })) };
}

function inToc(sequence: SequenceToArchive): boolean {
  return sequence.entry !== undefined || sequence.comesWith !== undefined;
}

/** Owner and oid of what a data entry belongs to. */
function ownerOf(
  byKey: ReadonlyMap<string, Entry>,
  data: Pick<TableToArchive, "comesWith"> & { readonly entry?: string | null },
): { oid: number; owner: string | null } {
  if (data.comesWith !== undefined) return data.comesWith;
  const entry = required(byKey, data.entry!);
  return { oid: entry.address.objid, owner: entry.owner };
}

/** Comments and grants stand with what they belong to: after the data when that is made after the data. */
function bySection(entries: readonly Entry[]): { before: Entry[]; after: Entry[] } {
  const late = new Set<string>();
  const before: Entry[] = [];
  const after: Entry[] = [];
  for (const entry of entries) {
    const belongsLate = entry.section === "none" && entry.dependencies.some((key) => late.has(key));
    if (entry.section === "post-data" || belongsLate) {
      late.add(entry.key);
      after.push(entry);
    } else before.push(entry);
  }
  return { before, after };
}

function needs(byKey: ReadonlyMap<string, Entry>, entry: Entry, wanted: string): boolean {
  const seen = new Set<string>([entry.key]);
  const open = [...entry.dependencies];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (key === wanted) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    open.push(...(byKey.get(key)?.dependencies ?? []));
  }
  return false;
}

function required(byKey: ReadonlyMap<string, Entry>, key: string): Entry {
  return byKey.get(key) ?? missing(key);
}

function missing(key: string): never {
  throw new BelayError("internal", `the archive's entries do not hold ${key}, which its data needs`, {
    details: { key },
  });
}
