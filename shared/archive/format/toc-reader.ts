import type { Section } from "../../catalog/types.ts";
import { decoderFor, encodingOf } from "./encoding.ts";
import { ascii, type Bytes, invalid, TocInput } from "./toc-input.ts";
import type { Toc, TocEntry } from "./toc-types.ts";

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
  const encoding = readEncoding(input, head, count);
  const decode = decoderFor(encoding);
  const entries: TocEntry[] = [];
  const ids = new Set<number>();
  for (let index = 0; index < count; index++) {
    const entry = readEntry(input, head, index, decode);
    if (ids.has(entry.dumpId)) throw invalid(`two entries have the id ${entry.dumpId}`);
    ids.add(entry.dumpId);
    entries.push(entry);
  }
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
    entries,
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

type Decode = (bytes: Uint8Array) => string;

/** The ENCODING entry is usually the first; all strings before it are in the encoding that it names. */
function readEncoding(input: TocInput, head: { minor: number; format: Toc["format"] }, count: number): string {
  const ahead = input.ahead();
  for (let index = 0; index < count; index++) {
    const entry = readEntry(ahead, head, index, (bytes) => ascii(bytes));
    if (entry.desc === "ENCODING") return encodingOf(entry.defn);
  }
  return encodingOf(null);
}

const noDependencies: readonly number[] = [];

function readEntry(
  input: TocInput,
  head: { minor: number; format: Toc["format"] },
  index: number,
  decode: Decode,
): TocEntry {
  const where = `entry ${index + 1}`;
  const text = () => {
    const bytes = input.str(where);
    return bytes === null ? null : bytes.length === 0 ? "" : decode(bytes);
  };
  const dumpId = input.int(where);
  if (dumpId < 1) throw invalid(`${where} has the id ${dumpId}`);
  const hadDumper = input.int(where) !== 0;
  const [tableoid, oid, tag, desc] = [text() ?? "0", text() ?? "0", text() ?? "", text() ?? ""];
  const sectionCode = input.int(where);
  const section = sections[sectionCode];
  if (section === undefined) throw invalid(`${where} is in section ${sectionCode}`);
  const [defn, dropStmt, copyStmt, namespace, tablespace] = [text(), text(), text(), text(), text()];
  const tableam = head.minor >= 14 ? text() : null;
  const relkind = head.minor >= 16 ? input.int(where) : 0;
  const owner = text();
  input.str(where); // WITH OIDS
  const dependencies = readDependencies(input, where);
  const fields = { dumpId, hadDumper, tableoid, oid, tag, desc, section, defn, dropStmt, copyStmt, namespace };
  const rest = { tablespace, tableam, relkind, owner, dependencies };
  if (head.format === "custom") return { ...fields, ...rest, file: "", offset: input.offset(where) };
  return { ...fields, ...rest, file: text() ?? "" };
}

function readDependencies(input: TocInput, where: string): readonly number[] {
  let dependencies: number[] | undefined;
  for (let id = input.str(where); id !== null; id = input.str(where)) {
    dependencies ??= [];
    dependencies.push(dependencyId(id, where));
  }
  return dependencies ?? noDependencies;
}

function lenient(bytes: Bytes): string | null {
  return bytes === null ? null : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function sizeOf(size: number, what: string): number {
  if (size < 1 || size > 32) throw invalid(`its ${what} size is ${size} bytes`);
  return size;
}

function dependencyId(bytes: Uint8Array, where: string): number {
  const text = ascii(bytes);
  if (!/^\d{1,10}$/.test(text)) throw invalid(`${where} depends on something that is not a number`);
  return Number(text);
}
