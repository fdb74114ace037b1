import { Buffer } from "node:buffer";
import type { Compression } from "../compression/decompress.ts";

/** What a file is, told by its first bytes. `compressed`: what is inside has to be looked at. */
export type FileKind =
  | { readonly kind: "custom" | "plain" | "empty" }
  | { readonly kind: "compressed"; readonly compression: Compression }
  | { readonly kind: "other"; readonly why: string; readonly hint: string };

/** Bytes that suffice to tell. */
export const sniffLength = 1024;

const magic = "PGDMP";

/** Where a tar header has the word `ustar`, and how long it is (POSIX.1-1988). */
const tarMagicAt = 257;

const other = (why: string, hint: string): FileKind => ({ kind: "other", why, hint });

/** Tells a file by its first bytes, never by its name. */
export function sniff(head: Uint8Array): FileKind {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length === 0) return { kind: "empty" };
  const text = bytes.toString("latin1");
  if (text.startsWith(magic) || magic.startsWith(text)) return pgDump(bytes);
  if (text.startsWith("\x1f\x8b")) return { kind: "compressed", compression: "gzip" };
  if (text.startsWith("\x28\xb5\x2f\xfd")) return { kind: "compressed", compression: "zstd" };
  if (text.startsWith("\x04\x22\x4d\x18")) return { kind: "compressed", compression: "lz4" };
  if ((bytes[0]! & 0xf0) === 0x50 && text.slice(1, 4) === "*M\x18")
    return { kind: "compressed", compression: skippedBy(bytes) };
  if (text.slice(tarMagicAt, tarMagicAt + 5) === "ustar") return tar(text.slice(0, 100).replace(/\0.*$/s, ""));
  return foreign(text) ?? plainOr(text);
}

/** Both formats may begin with a frame to skip; pg_dump's never do. */
function skippedBy(bytes: Buffer): Compression {
  const next = 8 + (bytes.length >= 8 ? bytes.readUInt32LE(4) : 0);
  return bytes.length >= next + 4 && bytes.readUInt32LE(next) === 0x184d2204 ? "lz4" : "zstd";
}

function pgDump(bytes: Buffer): FileKind {
  const format = bytes[10];
  if (bytes.length < 11 || format === 1) return { kind: "custom" };
  if (format === 3)
    return other(
      "is the table of contents of an archive in directory format, not the archive",
      "Name the folder that it is in.",
    );
  return other(`is an archive of pg_dump in the unknown format ${format}`, "Fetch it again, or use another one.");
}

function tar(member: string): FileKind {
  if (/^(\.\/)?toc\.dat$/.test(member))
    return other(
      "is a tar archive (pg_dump -Ft)",
      "Unpack it into a folder of its own and name the folder: mkdir DIR && tar -xf FILE -C DIR. It is then in directory format.",
    );
  if (/^(\.\/)?(backup_label|PG_VERSION|tablespace_map|base\/|global\/|pg_wal\/)/.test(member))
    return other("is a tar file of pg_basebackup: a copy of a server's files", baseBackupHint);
  return other(
    "is a tar file",
    "If there is an archive in it, unpack it and name what comes out: the folder with toc.dat, or the file.",
  );
}

export const baseBackupHint =
  "Start a server of the same major version on it, and dump the database there with `belay dump` or pg_dump.";

function foreign(text: string): FileKind | null {
  if (text.startsWith("BZh")) return other("is compressed with bzip2", "Decompress it first: bunzip2 FILE");
  if (text.startsWith("\xfd7zXZ")) return other("is compressed with xz", "Decompress it first: unxz FILE");
  if (text.startsWith("PK\x03\x04")) return other("is a zip file", "Unpack it and name the archive that is in it.");
  if (text.startsWith("SQLite format 3")) return other("is a SQLite database", "Belay reads archives of PostgreSQL.");
  if (/^-- (MySQL|MariaDB) dump/.test(text)) return other("is a dump of MySQL", "Belay reads archives of PostgreSQL.");
  if (/^(\xff\xfe|\xfe\xff)/.test(text) || /^[\t\r\n -~]\0[\t\r\n -~]\0/.test(text))
    return other(
      "is text in UTF-16: Windows PowerShell re-encoded it on the way into the file",
      "Dump again with pg_dump --file=FILE instead of `> FILE`.",
    );
  return null;
}

function plainOr(text: string): FileKind {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text has none of these
  if (/[\0-\x08\x0e-\x1f]/.test(text.slice(0, 32)))
    return other(
      `is no archive that Belay knows: it begins with ${Buffer.from(text.slice(0, 8), "latin1").toString("hex")}`,
      "Belay reads pg_dump's directory and custom format and plain SQL, compressed with gzip, zstd or lz4 or not.",
    );
  if (/^(\xef\xbb\xbf)?\s*--\s*-- PostgreSQL database cluster dump/.test(text))
    return other(
      "is a dump of a whole server (pg_dumpall): roles, tablespaces, or several databases",
      "Run it with psql on the new server for its roles (pg_dumpall --globals-only writes them alone), and take each database with `belay dump` or pg_dump.",
    );
  return { kind: "plain" };
}
