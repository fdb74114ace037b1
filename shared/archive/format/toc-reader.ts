import type { Section } from "../../catalog/types.ts";
import { decoderFor, encodingOf } from "./encoding.ts";
import { ascii, type Bytes, invalid, TocInput } from "./toc-input.ts";
import type { DataOffset, Toc, TocEntry } from "./toc-types.ts";

const formats: Record<number, Toc["format"]> = { 1: "custom", 3: "directory" };
const sections: Record<number, Section> = { 1: "none", 2: "pre-data", 3: "data", 4: "post-data" };
const compressions: Record<number, Toc["compression"]> = { 0: "none", 1: "gzip", 2: "lz4", 3: "zstd" };

/** The fewest bytes that an entry can take, with every string NULL and ints of one byte. */
const smallestEntry = 30;

/**
 * Reads toc.dat of a directory archive, or the head of a custom-format file, versions 1.12 to 1.16 (pg_dump 10 to 18).
 * Throws `archive_invalid` on anything else; never allocates more than a few times the input.
 */
export function readToc(bytes: Uint8Array): Toc {
  const input = new TocInput(bytes);
  const head = readHead(input);
  const count = input.int("entry count");
  if (count < 0) throw invalid(`it counts ${count} entries`);
  if (count * smallestEntry > input.left) throw input.cut(`${count} entries cannot be in ${input.left} bytes`);
  const raw: RawTocEntry[] = [];
  const ids = new Set<number>();
  for (let index = 0; index < count; index++) {
    const entry = readEntry(input, head, index);
    if (ids.has(entry.dumpId)) throw invalid(`two entries have the id ${entry.dumpId}`);
    ids.add(entry.dumpId);
    raw.push(entry);
  }
  const encoding = encodingOf(raw.find((entry) => ascii(entry.desc) === "ENCODING")?.defn ?? null);
  const decode = decoderFor(encoding);
  const text = (value: Bytes) => (value === null ? null : decode(value));
  return {
    encoding,
    intSize: input.intSize,
    minor: head.minor,
    format: head.format,
    compression: head.compression,
    createdAt: head.createdAt,
    // Of these three nobody knows the encoding, and nothing depends on them.
    database: lenient(head.database),
    serverVersion: lenient(head.serverVersion),
    dumpVersion: lenient(head.dumpVersion),
    entries: raw.map((entry) => decodeEntry(entry, text)),
    ...(head.format === "custom" ? { end: input.position } : {}),
  };
}

function readHead(input: TocInput) {
  if (ascii(input.take(5, "magic")) !== "PGDMP")
    throw invalid("it does not begin with PGDMP", "Is this a pg_dump archive in directory or custom format?");
  const [major, minor] = [input.byte("version"), input.byte("version"), input.byte("version")];
  if (major !== 1 || minor! < 12 || minor! > 16)
    throw invalid(
      `version ${major}.${minor} is not one of 1.12 to 1.16`,
      "Belay reads the archives of pg_dump 10 to 18.",
    );
  input.intSize = sizeOf(input.byte("integer size"), "integer");
  input.offsetSize = sizeOf(input.byte("offset size"), "offset");
  const formatCode = input.byte("format");
  const format = formats[formatCode];
  if (format === undefined) throw invalid(`format ${formatCode} is neither directory nor custom`);
  const level = minor! >= 15 ? input.byte("compression") : input.int("compression");
  // Before 1.15 the field is a zlib level.
  const compression = minor! >= 15 ? compressions[level] : level === 0 ? "none" : "gzip";
  if (compression === undefined) throw invalid(`compression ${level} is unknown`);
  const clock = Array.from({ length: 7 }, () => input.int("creation time"));
  const [second, minute, hour, day, month, year] = clock as [number, number, number, number, number, number];
  const createdAt = new Date(Date.UTC(1900 + year, month, day, hour, minute, second));
  if (Number.isNaN(createdAt.getTime())) throw invalid("its creation time is out of range");
  const [database, serverVersion, dumpVersion] = [
    input.str("database name"),
    input.str("server version"),
    input.str("pg_dump version"),
  ];
  return { minor: minor!, format, compression, createdAt, database, serverVersion, dumpVersion };
}

interface RawTocEntry {
  dumpId: number;
  hadDumper: boolean;
  tableoid: Bytes;
  oid: Bytes;
  tag: Bytes;
  desc: Bytes;
  section: Section;
  defn: Bytes;
  dropStmt: Bytes;
  copyStmt: Bytes;
  namespace: Bytes;
  tablespace: Bytes;
  tableam: Bytes;
  relkind: number;
  owner: Bytes;
  dependencies: number[];
  file: Bytes;
  offset: DataOffset | undefined;
}

function readEntry(input: TocInput, head: { minor: number; format: Toc["format"] }, index: number): RawTocEntry {
  const where = `entry ${index + 1}`;
  const dumpId = input.int(where);
  if (dumpId < 1) throw invalid(`${where} has the id ${dumpId}`);
  const hadDumper = input.int(where) !== 0;
  const [tableoid, oid, tag, desc] = [input.str(where), input.str(where), input.str(where), input.str(where)];
  const sectionCode = input.int(where);
  const section = sections[sectionCode];
  if (section === undefined) throw invalid(`${where} is in section ${sectionCode}`);
  const [defn, dropStmt, copyStmt] = [input.str(where), input.str(where), input.str(where)];
  const [namespace, tablespace] = [input.str(where), input.str(where)];
  const tableam = head.minor >= 14 ? input.str(where) : null;
  const relkind = head.minor >= 16 ? input.int(where) : 0;
  const owner = input.str(where);
  input.str(where); // WITH OIDS
  const dependencies: number[] = [];
  for (let id = input.str(where); id !== null; id = input.str(where)) dependencies.push(dependencyId(id, where));
  const file = head.format === "directory" ? input.str(where) : null;
  const offset = head.format === "custom" ? input.offset(where) : undefined;
  return {
    ...{ dumpId, hadDumper, tableoid, oid, tag, desc, section, defn, dropStmt, copyStmt, namespace, tablespace },
    ...{ tableam, relkind, owner, dependencies, file, offset },
  };
}

function decodeEntry(entry: RawTocEntry, text: (value: Bytes) => string | null): TocEntry {
  const { offset, ...rest } = entry;
  return {
    ...rest,
    tableoid: text(entry.tableoid) ?? "0",
    oid: text(entry.oid) ?? "0",
    tag: text(entry.tag) ?? "",
    desc: text(entry.desc) ?? "",
    defn: text(entry.defn),
    dropStmt: text(entry.dropStmt),
    copyStmt: text(entry.copyStmt),
    namespace: text(entry.namespace),
    tablespace: text(entry.tablespace),
    tableam: text(entry.tableam),
    owner: text(entry.owner),
    file: text(entry.file) ?? "",
    ...(offset === undefined ? {} : { offset }),
  };
}

function lenient(bytes: Bytes): string | null {
  return bytes === null ? null : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function sizeOf(size: number, what: string): number {
  if (size < 1 || size > 32) throw invalid(`its ${what} size is ${size} bytes`);
  return size;
}

function dependencyId(bytes: Uint8Array, where: string): number {
  const text = ascii(bytes) ?? "";
  if (!/^\d{1,10}$/.test(text)) throw invalid(`${where} depends on something that is not a number`);
  return Number(text);
}
