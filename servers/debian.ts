import { existsSync } from "node:fs";
import { join } from "node:path";

export const debianMajor = 15;

/** Folder of Debian's PostgreSQL programs with pg_dump, or null when that package is not installed. */
export function debianPrograms(major: number = debianMajor): string | null {
  const folder = `/usr/lib/postgresql/${major}/bin`;
  return existsSync(join(folder, "pg_dump")) && existsSync(join(folder, "postgres")) ? folder : null;
}
