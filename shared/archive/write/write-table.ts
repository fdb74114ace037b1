import { BelayError } from "../../errors.ts";
import { copyOut } from "../../postgres/copy.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { gzip } from "../compression/gzip.ts";
import { hashing } from "../digesting.ts";
import { counted, withEndMarker } from "../format/copy-text.ts";
import { tableDigest } from "../table-digest.ts";
import type { ArchivedObject, ArchivedTable } from "../types.ts";
import { copyOutStatement, type TableToArchive } from "./layout.ts";

export interface WrittenTable {
  readonly table: ArchivedTable;
  readonly object: ArchivedObject;
}

/**
 * Streams one table: COPY, count, gzip, sha256, store. `onBytes` hears of each batch of COPY text and may throw.
 * The digest is taken by the same reader, of the same snapshot.
 */
export async function writeTable(
  reader: Session,
  store: ObjectStore,
  key: string,
  file: string,
  table: TableToArchive,
  options: { readonly level: number; onBytes(bytes: number): void },
): Promise<WrittenTable> {
  const count = { rows: 0, bytes: 0 };
  const stored = hashing();
  const text = watched(counted(copyOut(reader, copyOutStatement(table)), count), options.onBytes);
  await store.write(key, stored.pass(gzip(withEndMarker(text), options.level)), {
    createOnly: true,
    sizeHint: table.sizeHint,
    contentType: "application/gzip",
  });
  const from = table.from ?? table;
  const { rows, digest } = await tableDigest(reader, { ...from, columns: table.columns });
  if (rows !== count.rows) throw differs(table, count.rows, rows);
  return {
    table: {
      schema: table.schema,
      table: table.table,
      columns: [...table.columns],
      rows: count.rows,
      rawBytes: count.bytes,
      digest,
      file,
      role: table.role,
      mergesInto: table.mergesInto,
    },
    object: { file, ...stored.finish() },
  };
}

/** COPY and count(*) read the same snapshot by different ways. */
function differs(table: TableToArchive, copied: number, counted: number): BelayError {
  const name = `${table.schema}.${table.table}`;
  return new BelayError("archive_unverified", `COPY gave ${copied} rows of ${name}, but it has ${counted}`, {
    hint: "Nothing was published. Report this: it should not happen.",
    details: { schema: table.schema, table: table.table },
  });
}

async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}
