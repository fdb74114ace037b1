import { createHash } from "node:crypto";
import type { LayoutProblem, Migration, ProblemCode } from "../types.ts";

/** A file of a migrations folder, read as UTF-8. */
export interface SourceFile {
  /** As people find it: the folder as given, and the name. */
  readonly path: string;
  /** File name alone. */
  readonly name: string;
  readonly text: string;
}

/** A folder beneath the migrations folder, at any depth. */
export interface SourceSubfolder {
  /** Path from the migrations folder, with `/`. */
  readonly name: string;
  readonly files: readonly SourceFile[];
}

/** The files that a layout reader works on. */
export interface SourceFolder {
  readonly directory: string;
  /** `.sql` files of the folder itself. */
  readonly files: readonly SourceFile[];
  readonly folders: readonly SourceSubfolder[];
  /** Settings that tools keep beside a migration, by path: diesel's `metadata.toml`, Flyway's `V1__x.sql.conf`. */
  readonly settings: ReadonlyMap<string, string>;
}

/** What one layout reader finds. */
export interface LayoutReading {
  readonly migrations: readonly Migration[];
  readonly problems: readonly LayoutProblem[];
}

/** sha256 (hex) of texts, kept apart from each other. */
export function sha256(...texts: readonly string[]): string {
  const hash = createHash("sha256");
  texts.forEach((text, index) => {
    if (index > 0) hash.update("\0");
    hash.update(text, "utf8");
  });
  return hash.digest("hex");
}

/** Checksum of the forward part: line endings, a byte order mark and white space at the end do not count. */
export function forwardChecksum(forwardSql: string): string {
  return sha256(
    forwardSql
      .replace(/^\uFEFF/, "")
      .replace(/\r\n?/g, "\n")
      .trimEnd(),
  );
}

/** The digits at the start of a file's name, or null. */
export function versionOf(name: string): string | null {
  return /^(\d+)(?=[_.-]|$)/.exec(name)?.[1] ?? null;
}

/**
 * Numeric, part by part where there are several (`1.2.3`, `1_2`): 10 follows 9, 1.10 follows 1.9, and 1.0 is 1. Versions
 * with dashes are diesel's: text without the dashes, so that 2024-01-02-000000 follows 2024-01-01-0000000000.
 */
export function compareVersions(a: string, b: string): number {
  if (a.includes("-") || b.includes("-")) return compareTexts(a.replaceAll("-", ""), b.replaceAll("-", ""));
  const digits = /^\d+([._]\d+)*$/;
  if (!digits.test(a) || !digits.test(b)) return compareTexts(a, b);
  const [one, other] = [a.split(/[._]/), b.split(/[._]/)] as const;
  for (let part = 0; part < Math.max(one.length, other.length); part += 1) {
    const difference = BigInt(one[part] ?? 0) - BigInt(other[part] ?? 0);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One text for equal versions: `01.2.0` and `1_2` are `1.2`, and `2024-01-02-000000` is `20240102000000`. */
export function canonicalVersion(version: string): string {
  const parts = version
    .replaceAll("-", "")
    .split(/[._]/)
    .map((part) => part.replace(/^0+(?=\d)/, ""));
  while (parts.length > 1 && parts.at(-1) === "0") parts.pop();
  return parts.join(".");
}

export function compareMigrations(
  a: { readonly version: string; readonly name: string },
  b: { readonly version: string; readonly name: string },
): number {
  return compareVersions(a.version, b.version) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

export function migrationName(fileName: string): string {
  return fileName.replace(/\.sql$/i, "");
}

/** A problem at a line of a file; severity `error` unless given. */
export function problemAt(
  file: { readonly path: string },
  line: number,
  code: ProblemCode,
  message: string,
  severity: LayoutProblem["severity"] = "error",
): LayoutProblem {
  return { code, severity, message, place: { file: file.path, line } };
}
