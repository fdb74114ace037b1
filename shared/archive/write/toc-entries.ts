import { qualified, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { TocEntry } from "../format/toc.ts";
import { columnList } from "./copy-statement.ts";
import type { SequenceToArchive, TableToArchive } from "./layout.ts";

const empty = {
  hadDumper: false,
  tableoid: "0",
  oid: "0",
  dropStmt: null,
  copyStmt: null,
  namespace: null,
  tablespace: null,
  tableam: null,
  owner: null,
  dependencies: [],
  file: "",
} as const;

/** What pg_restore sets before all else. */
export function preamble(): TocEntry[] {
  const settings = [
    ["ENCODING", "SET client_encoding = 'UTF8';\n"],
    ["STDSTRINGS", "SET standard_conforming_strings = 'on';\n"],
    ["SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"],
  ] as const;
  return settings.map(([desc, defn], index) => ({
    ...empty,
    dumpId: index + 1,
    tag: desc,
    desc,
    section: "pre-data",
    defn,
  }));
}

/** One entry of the catalog with its number. */
export function catalogEntry(entry: Entry, dumpId: number, dependencies: readonly number[]): TocEntry {
  return {
    ...empty,
    dumpId,
    tableoid: String(entry.address.classid),
    oid: String(entry.address.objid),
    tag: entry.name,
    desc: entry.kind,
    section: entry.section,
    defn: entry.create,
    dropStmt: entry.drop,
    namespace: entry.schema,
    tablespace: entry.tablespace,
    tableam: entry.tableam,
    owner: entry.owner,
    dependencies,
  };
}

/** The rows of one table. */
export function tableData(
  table: TableToArchive,
  made: { oid: number; owner: string | null },
  dumpId: number,
  dependencies: readonly number[],
): TocEntry {
  return {
    ...empty,
    dumpId,
    hadDumper: true,
    oid: String(made.oid),
    tag: table.table,
    desc: "TABLE DATA",
    section: "data",
    defn: null,
    copyStmt: `COPY ${qualified(table.schema, table.table)}${columnList(table.columns)} FROM stdin;\n`,
    namespace: table.schema,
    owner: made.owner,
    // pg_restore finds the table through the first dependency.
    dependencies,
    file: `${dumpId}.dat`,
  };
}

/** The rows of the large objects, each in a file of its own; `blobs.toc` lists them. */
export function largeObjectData(dumpId: number): TocEntry {
  return {
    ...empty,
    dumpId,
    hadDumper: true,
    tag: "BLOBS",
    desc: "BLOBS",
    section: "data",
    defn: null,
    file: "blobs.toc",
  };
}

/** A sequence's value. */
export function sequenceSet(
  sequence: SequenceToArchive,
  made: { oid: number; owner: string | null },
  dumpId: number,
  dependencies: readonly number[],
): TocEntry {
  const name = quoteLiteral(qualified(sequence.schema, sequence.name));
  return {
    ...empty,
    dumpId,
    oid: String(made.oid),
    tag: sequence.name,
    desc: "SEQUENCE SET",
    section: "data",
    defn: `SELECT pg_catalog.setval(${name}, ${sequence.lastValue}, ${sequence.isCalled});\n`,
    namespace: sequence.schema,
    owner: made.owner,
    dependencies,
  };
}

/** A materialised view, filled again after the data. */
export function refresh(view: Entry, dumpId: number, dependencies: readonly number[]): TocEntry {
  return {
    ...empty,
    dumpId,
    oid: String(view.address.objid),
    tag: view.name,
    desc: "MATERIALIZED VIEW DATA",
    section: "post-data",
    defn: `REFRESH MATERIALIZED VIEW ${qualified(view.schema, view.name)};\n`,
    namespace: view.schema,
    owner: view.owner,
    dependencies,
  };
}
