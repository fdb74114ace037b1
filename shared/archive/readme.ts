import { qualified, quoteIdent, quoteLiteral } from "../catalog/identifiers.ts";
import type { ArchiveInput } from "./write.ts";

/** The text of README.txt: what this is and how to put it back with nothing but stock pg_restore and psql. */
export function defaultReadme(input: ArchiveInput): string {
  const lines = [
    `Belay archive ${input.id}`,
    "",
    `Taken ${input.snapshotAt} from the database ${input.source.database} (PostgreSQL ${input.source.serverVersion}) by ${input.createdBy}.`,
    `Why: ${input.reason}`,
    ...(input.migration === null ? [] : [`Migration: ${input.migration}`]),
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

function byHand(input: ArchiveInput): string[] {
  const lines = [
    "",
    "To put this back into the database it came from, by hand:",
    "",
    "  1. pg_restore into an empty scratch database, look at the rows there.",
    "  2. In the real database, restore what is gone, in a list edited from `pg_restore -l` (-L takes the list):",
    "       pg_restore -d postgres://... -L list.txt THIS_FOLDER",
  ];
  for (const table of input.tables) {
    if (table.mergesInto === null) continue;
    const { schema, table: target, key, columns } = table.mergesInto;
    const set = columns.map((column) => `${quoteIdent(column)} = s.${quoteIdent(column)}`).join(", ");
    const match = key.map((column) => `t.${quoteIdent(column)} = s.${quoteIdent(column)}`).join(" AND ");
    lines.push(
      `  *  ${table.schema}.${table.table} holds lost columns of ${schema}.${target}. Add the columns again, restore that table, then in psql:`,
      `       UPDATE ${qualified(schema, target)} t SET ${set} FROM ${qualified(table.schema, table.table)} s WHERE ${match};`,
    );
  }
  for (const one of input.sequences)
    lines.push(
      `  *  sequence: SELECT setval(${quoteLiteral(qualified(one.schema, one.name))}, ${one.lastValue}, ${one.isCalled});`,
    );
  for (const key of input.external)
    lines.push(
      `  *  foreign key that leads out of this archive, to ${key.references}, to add last:`,
      `       ${key.create.trim()}`,
    );
  return lines;
}
