import { Buffer } from "node:buffer";
import type { Section } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { decoderFor, encodingOf } from "./encoding.ts";
import type { DataOffset, Toc, TocEntry } from "./toc-types.ts";

const formats: Record<number, Toc["format"]> = { 1: "custom", 3: "directory" };
const sections: Record<number, Section> = { 1: "none", 2: "pre-data", 3: "data", 4: "post-data" };
const compressions: Record<number, Toc["compression"]> = { 0: "none", 1: "gzip", 2: "lz4", 3: "zstd" };

/** The fewest bytes that an entry can take, with every string NULL and ints of one byte. */
const smallestEntry = 30;

/** Strings stay bytes until the ENCODING entry is known. */
type Bytes = Uint8Array | null;

/**
 * Reads toc.dat of a directory archive, or the head of a custom-format file, versions 1.12 to 1.16 (pg_dump 10 to 18).
 * Throws `archive_invalid` on anything else; never allocates more than a few times the input.
 */
export function readToc(bytes: Uint8Array): Toc {
  const input = new TocInput(bytes);
  const head = readHead(input);
  const count = input.int("entry count");
  if (count < 0 || count * smallestEntry > input.left)
    throw invalid(`${count} entries cannot be in ${input.left} bytes`);
  const raw: RawTocEntry[] = [];
  for (let index = 0; index < count; index++) raw.push(readEntry(input, head, index));
  const decode = decoderFor(encodingOf(raw.find((entry) => ascii(entry.desc) === "ENCODING")?.defn ?? null));
  const text = (value: Bytes) => (value === null ? null : decode(value));
  return {
    minor: head.minor,
    format: head.format,
    compression: head.compression,
    createdAt: head.createdAt,
    database: text(head.database),
    serverVersion: text(head.serverVersion),
    dumpVersion: text(head.dumpVersion),
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

class TocInput {
  readonly #bytes: Buffer;
  position = 0;
  intSize = 4;
  offsetSize = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.position;
  }

  take(length: number, what: string): Buffer {
    if (length > this.left) throw invalid(`it ends inside ${what}, at byte ${this.#bytes.length}`);
    const part = this.#bytes.subarray(this.position, this.position + length);
    this.position += length;
    return part;
  }

  byte(what: string): number {
    return this.take(1, what)[0]!;
  }

  /** A sign byte, then the absolute value, little endian. */
  int(what: string): number {
    const negative = this.byte(what) !== 0;
    const bytes = this.take(this.intSize, what);
    let value = 0;
    for (let index = 0; index < bytes.length; index++) {
      if (index >= 4 && bytes[index] !== 0) throw invalid(`a number in ${what} does not fit 32 bits`);
      value += index < 4 ? bytes[index]! * 2 ** (8 * index) : 0;
    }
    return negative ? -value : value;
  }

  str(what: string): Bytes {
    const length = this.int(what);
    return length < 0 ? null : this.take(length, what);
  }

  offset(what: string): DataOffset {
    const state = this.byte(what);
    const bytes = this.take(this.offsetSize, what);
    if (state === 1) return { state: "unknown" };
    if (state === 3) return { state: "none" };
    if (state !== 2) throw invalid(`${what} has a data position of state ${state}`);
    let position = 0n;
    for (let index = bytes.length - 1; index >= 0; index--) position = position * 256n + BigInt(bytes[index]!);
    return { state: "known", position };
  }
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

function ascii(bytes: Bytes): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function invalid(
  why: string,
  hint = "The file is damaged or cut. Fetch it again, or use another archive.",
): BelayError {
  return new BelayError("archive_invalid", `reading the archive's table of contents: ${why}`, { hint });
}
