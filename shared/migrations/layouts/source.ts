import { createHash } from "node:crypto";
import type { LayoutProblem, Migration } from "../types.ts";

/** A file of a migrations folder, read as UTF-8. */
export interface SourceFile {
  /** As people find it: the folder as given, and the name. */
  readonly path: string;
  /** File name alone. */
  readonly name: string;
  readonly text: string;
}

/** The files that a layout reader works on. */
export interface SourceFolder {
  readonly directory: string;
  /** `.sql` files of the folder itself. */
  readonly files: readonly SourceFile[];
  /** `.sql` files of its `rollbacks` (or `rollback`) folder. */
  readonly rollbacks: readonly SourceFile[];
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

/** Numeric where both are digits, so that 10 follows 9. */
export function compareVersions(a: string, b: string): number {
  const digits = /^\d+$/;
  if (digits.test(a) && digits.test(b)) {
    const difference = BigInt(a) - BigInt(b);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

export function compareMigrations(
  a: { readonly version: string; readonly name: string },
  b: { readonly version: string; readonly name: string },
): number {
  return compareVersions(a.version, b.version) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** A file without a version is left out, and said so. */
export function noVersion(file: SourceFile): LayoutProblem {
  return {
    code: "unreadable",
    severity: "warning",
    message: `${file.name} has no version at the start of its name and was left out`,
    place: { file: file.path, line: 1 },
  };
}
