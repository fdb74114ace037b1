import { gzip } from "../../shared/archive/compression/gzip.ts";
import { hashing } from "../../shared/archive/digesting.ts";
import { textParameters } from "../../shared/archive/table-digest.ts";
import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import { copyIn, copyOut } from "../../shared/postgres/copy.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { withParameters } from "../../shared/postgres/settings.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { compareTable, type RowCounts } from "./compare.ts";
import { comparable, keyExpression, readShape } from "./keys.ts";
import type { Fate, RowChange } from "./merge.ts";
import { type NewerTable, newerRowsPrefix } from "./types.ts";

export interface ExportSessions {
  /** Two sessions on today's database, and one on the restored backup. */
  readonly today: Session;
  readonly writer: Session;
  readonly backup: Session;
}

const keysTable = "pg_temp.belay_newer_keys";
const exportLevel = 6;

/** Compares one table of today with the backup's and writes its new and its changed rows to the store as CSV. */
export async function exportNewerRows(
  sessions: ExportSessions,
  store: ObjectStore,
  id: string,
  name: { readonly schema: string; readonly table: string },
): Promise<NewerTable> {
  const { today, writer, backup } = sessions;
  const place = (fate: Fate) =>
    `${newerRowsPrefix}${id}/${encodeURIComponent(name.schema)}.${encodeURIComponent(name.table)}.${fate}.csv.gz`;
  const shape = (await readShape(today, name))!;
  const table = await comparable(today, backup, name);
  const columns = shape.columns;
  const from = `only ${qualified(name.schema, name.table)} t`;
  if (table === null) {
    const file = await writeCsv(writer, store, place("new"), selectRows(columns, from, ""));
    const counts = { new: file?.rows ?? 0, changed: 0, deleted: 0 };
    return {
      ...name,
      ...counts,
      byKey: shape.key.length > 0,
      absent: true,
      newColumns: [],
      files: { new: file, changed: null },
    };
  }
  const counts = await keepKeys(writer, (take) => compareTable(today, backup, table, take));
  const write = (fate: "new" | "changed") => {
    if (counts[fate] === 0) return null;
    const where = ` where ${keyExpression(table, "t")} in (select k from ${keysTable} where fate = '${fate}')`;
    return writeCsv(writer, store, place(fate), selectRows(columns, from, where));
  };
  const files = { new: await write("new"), changed: await write("changed") };
  const newColumns = columns.filter((column) => !table.columns.includes(column));
  return { ...name, ...counts, byKey: table.key.length > 0, absent: false, newColumns, files };
}

/** Puts the keys of new and changed rows into a temporary table of the session: they may be more than memory holds. */
async function keepKeys(
  session: Session,
  compare: (take: (changes: AsyncIterable<RowChange>) => Promise<unknown>) => Promise<RowCounts>,
): Promise<RowCounts> {
  await session.run(`drop table if exists ${keysTable};
    create temporary table belay_newer_keys (k text collate "C", fate text)`);
  return await compare((changes) => copyIn(session, `copy ${keysTable} from stdin`, keyLines(changes)));
}

async function* keyLines(changes: AsyncIterable<RowChange>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { key, fate } of changes) if (fate !== "deleted") yield encoder.encode(`${key}\t${fate}\n`);
}

function selectRows(columns: readonly string[], from: string, where: string): string {
  const list = columns.map((column) => `t.${quoteIdent(column)}`).join(", ");
  return `select ${list} from ${from}${where}`;
}

/** Rows of a query as CSV with a header line, or null when there are none. */
async function writeCsv(session: Session, store: ObjectStore, key: string, select: string) {
  return await withParameters(session, textParameters, async () => {
    const [counted] = await session.run(`select count(*)::float8 as rows from (${select}) rows`);
    const rows = counted!.rows as number;
    if (rows === 0) return null;
    const stored = hashing();
    const csv = copyOut(session, `copy (${select}) to stdout with (format csv, header)`);
    await store.write(key, stored.pass(gzip(csv, exportLevel)), { contentType: "application/gzip" });
    return { key, rows, ...stored.finish() };
  });
}
