import { listed } from "../../words.ts";
import type { ArchiveInput } from "./input.ts";
import { byHand } from "./readme-commands.ts";

/** Where the rows are that this archive does not hold. */
function movedLines({ moved }: ArchiveInput): string[] {
  if (moved === undefined || moved.names.length === 0) return [];
  const names = listed(moved.names).replaceAll(/\s+/g, " ");
  return [
    "",
    `NOT in this archive are the rows of ${names}: the rollback moved the tables to`,
    `schema ${moved.schemas.join(", ")} of the database itself, where they stay until ${moved.until} at the least.`,
    "Then `belay quarantine purge` writes them into an archive of their own, whose id begins with quarantine-.",
  ];
}

/** The text of README.txt: what this is and how to put it back with nothing but stock pg_restore and psql. */
export function defaultReadme(input: ArchiveInput): string {
  const lines = [
    `Belay archive ${input.id}`,
    "",
    `Taken ${input.snapshotAt} from the database ${input.source.database} (PostgreSQL ${input.source.serverVersion}) by ${input.createdBy}.`,
    // One line: what a person typed must not look like a command further down.
    `Why: ${input.reason.replaceAll(/\s+/g, " ")}`,
    ...(input.migration === null ? [] : [`Migration: ${input.migration}`]),
    ...movedLines(input),
    "",
    "This folder is a pg_dump archive in directory format; manifest.json has counts, digests and sha256 sums.",
    "pg_restore 15 to 18 reads it. Copy the whole folder to a disk first.",
    "",
    "  list:                    pg_restore -l THIS_FOLDER",
    "  into an empty database:  pg_restore --no-owner -d postgres://... THIS_FOLDER",
  ];
  if (input.purpose !== "dump") lines.push(...byHand(input));
  return `${lines.join("\n")}\n`;
}
