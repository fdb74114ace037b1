import { Buffer } from "node:buffer";
import type { Section } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { Toc, TocEntry } from "./toc-types.ts";

const sectionCodes: Record<Section, number> = { none: 1, "pre-data": 2, data: 3, "post-data": 4 };
const intLimit = 0x7fffffff;

/** Writes toc.dat of a directory archive, version 1.14, which pg_restore 13 to 18 read. Strings are written as UTF-8. */
export function writeToc(toc: Omit<Toc, "encoding" | "intSize">): Uint8Array {
  const out = new TocBytes();
  out.raw(Buffer.from("PGDMP", "latin1"));
  // 1.14.0, ints of 4 bytes, offsets of 8, format 3: the directory shares tar's code.
  out.raw(Buffer.from([1, 14, 0, 4, 8, 3]));
  out.int(toc.compression === "none" ? 0 : -1);
  for (const part of clockParts(toc.createdAt)) out.int(part);
  out.str(toc.database);
  out.str(oneLine(toc.serverVersion));
  out.str(oneLine(toc.dumpVersion));
  out.int(toc.entries.length);
  const seen = new Set<number>();
  for (const entry of toc.entries) {
    if (seen.has(entry.dumpId)) throw invalid(`entry id ${entry.dumpId} occurs twice`);
    seen.add(entry.dumpId);
    writeEntry(out, entry);
  }
  return out.bytes();
}

function writeEntry(out: TocBytes, entry: TocEntry): void {
  if (entry.dumpId < 1) throw invalid(`entry id ${entry.dumpId} is out of range`);
  out.int(entry.dumpId);
  out.int(entry.hadDumper ? 1 : 0);
  out.str(entry.tableoid);
  out.str(entry.oid);
  out.str(entry.tag);
  out.str(entry.desc);
  out.int(sectionCodes[entry.section]);
  out.str(entry.defn);
  out.str(entry.dropStmt);
  out.str(entry.copyStmt);
  out.str(entry.namespace);
  out.str(entry.tablespace);
  out.str(entry.tableam);
  out.str(entry.owner);
  out.str("false"); // WITH OIDS
  for (const id of entry.dependencies) out.str(String(id));
  out.str(null);
  out.str(entry.file);
}

/** One buffer that grows: a large database has a million fields. */
class TocBytes {
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #filled = 0;

  raw(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    this.#filled += bytes.copy(this.#buffer, this.#filled);
  }

  int(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) > intLimit) throw invalid(`${value} does not fit 32 bits`);
    this.#makeRoom(5);
    this.#buffer[this.#filled] = value < 0 ? 1 : 0;
    this.#filled = this.#buffer.writeUInt32LE(Math.abs(value), this.#filled + 1);
  }

  str(text: string | null): void {
    if (text === null) {
      this.int(-1);
      return;
    }
    const length = Buffer.byteLength(text, "utf8");
    this.int(length);
    this.#makeRoom(length);
    this.#filled += this.#buffer.write(text, this.#filled, "utf8");
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }
}

function clockParts(at: Date): number[] {
  const isDst = 0;
  return [
    at.getUTCSeconds(),
    at.getUTCMinutes(),
    at.getUTCHours(),
    at.getUTCDate(),
    at.getUTCMonth(),
    at.getUTCFullYear() - 1900,
    isDst,
  ];
}

/** pg_restore prints the versions inside an SQL comment. */
function oneLine(text: string | null): string | null {
  return text === null ? null : text.replaceAll(/[\r\n]+/g, " ");
}

function invalid(why: string): BelayError {
  return new BelayError("archive_invalid", `writing the archive's table of contents: ${why}`);
}
