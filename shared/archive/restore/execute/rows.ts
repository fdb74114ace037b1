import { qualified } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import { copyIn } from "../../../postgres/copy.ts";
import type { Session } from "../../../postgres/session.ts";
import { decoderFor } from "../../format/encoding.ts";
import type { TocEntry } from "../../format/toc.ts";
import type { Manifest } from "../../types.ts";
import { loadInserts } from "./inserts.ts";

/** Puts an entry's data, COPY text or INSERT statements, into its table, and returns the rows by the server's word. */
export function takeRows(
  session: Session,
  entry: TocEntry,
  data: AsyncIterable<Uint8Array>,
  encoding: string,
): Promise<number> {
  if (entry.copyStmt === null) {
    const table = qualified(entry.namespace, entry.tag);
    return loadInserts(session, table, data, decoderFor(encoding));
  }
  return copyIn(session, copyStatement(entry, entry.copyStmt, encoding), data);
}

/** Throws `archive_invalid` when the manifest knows another number of rows. */
export function requireRows(entry: TocEntry, rows: number, manifest: Manifest | null): void {
  const table = manifest?.tables.find(({ file }) => file === entry.file || file.startsWith(`${entry.file}.`));
  if (table === undefined || table.rows === rows) return;
  throw new BelayError(
    "archive_invalid",
    `${qualified(entry.namespace, entry.tag)} took ${rows} rows instead of the ${table.rows} that the manifest knows`,
    { hint: "The table was left empty. Use another archive; list them with `belay archives`." },
  );
}

/** The data stay in the encoding that they were dumped in; the statement itself is sent as UTF-8. */
function copyStatement({ namespace, tag }: TocEntry, text: string, encoding: string): string {
  const statement = /^(COPY\s[\s\S]*\sFROM\s+stdin)\s*;?\s*$/i.exec(text)?.[1];
  if (statement === undefined)
    throw new BelayError("archive_invalid", `the COPY statement of ${qualified(namespace, tag)} is not one`, {
      hint: "The archive's table of contents is damaged. Use another archive.",
    });
  if (encoding === "UTF8") return statement;
  return `${statement} WITH (ENCODING '${encoding.replaceAll("'", "''")}')`;
}
