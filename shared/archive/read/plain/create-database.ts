import type { PlainArchive } from "../types.ts";
import { statementKind } from "./statement-kind.ts";

/** pg_dump --create writes it after some settings: further on it is another database's. */
const mostParts = 200;

/** The CREATE DATABASE at a script's beginning, or null. Throws `archive_invalid` when the beginning does not read. */
export async function readCreateDatabase(archive: PlainArchive): Promise<string | null> {
  let parts = 0;
  for await (const part of archive.parts()) {
    parts += 1;
    if (part.kind === "copy" || part.kind === "connect" || parts > mostParts) return null;
    if (part.kind !== "statement") continue;
    const found = statementKind(part.text);
    if (found.kind === "database" && found.verb === "CREATE") return part.text;
  }
  return null;
}
