import { once } from "../../shared/archive/digesting.ts";
import { tableDigest } from "../../shared/archive/table-digest.ts";
import { isBelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import type { FullRestore } from "../state.ts";
import { exportNewerRows } from "./export.ts";
import { type NewerRows, newerRowsPrefix, newerRowsSchema } from "./types.ts";

const readme = `Rows that a full restore did not bring back

Each file is gzip of CSV with a header line: *.new.csv.gz are rows that the backup does not have, *.changed.csv.gz rows
that it has with other values. index.json lists them with counts and sha256. They hold personal data.

To look at new rows and load them:

  gunzip -k public.orders.new.csv.gz
  psql "$DATABASE_URL" -c "\\copy public.orders (COLUMNS OF THE FILE'S FIRST LINE) from 'public.orders.new.csv' with (format csv, header)"

Load a table before those that refer to it, then set its sequences: select setval('public.orders_id_seq', (select max(id) from public.orders));
A table without a primary key has no changed rows, and its file holds every copy of a new row, the old copies too.
For changed rows load the file into a temporary table and UPDATE from it what you want to keep.
`;

/**
 * Compares every table that changed with the restored copy, row by row, and writes the rows that the copy lacks to the
 * store under `newer-rows/<id>/`, index.json last. Today's database must have no writers.
 */
export async function exportAllNewerRows(state: FullRestore): Promise<NewerRows> {
  const { belay, id, plan } = state;
  const backup = await openSession(state.besideUrl, { applicationName: "belay compare" });
  try {
    const sessions = { today: state.today, writer: state.writer, backup };
    const names = await tablesToday(state);
    const tables: NewerRows["tables"] = [];
    for (const [index, name] of names.entries()) {
      const message = `${name.schema}.${name.table}`;
      belay.report({ phase: "newer rows", message, done: index, total: names.length, unit: "tables" });
      if (await asInBackup(state, name)) continue;
      const found = await exportNewerRows(sessions, belay.store, id, name);
      if (found.new + found.changed + found.deleted > 0) tables.push(found);
    }
    const gone = state.manifest.tables.filter(
      ({ schema, table }) => !names.some((name) => name.schema === schema && name.table === table),
    );
    const newer = newerRowsSchema.parse({
      format: "belay-newer-rows/1",
      id,
      archiveId: plan.archiveId,
      database: plan.live,
      comparedAt: belay.now().toISOString(),
      tables,
      goneSince: gone.map(({ schema, table }) => `${schema}.${table}`),
    } satisfies NewerRows);
    const put = (file: string, text: string) =>
      belay.store.write(`${newerRowsPrefix}${id}/${file}`, once(new TextEncoder().encode(text)), { createOnly: true });
    await put("README.txt", readme);
    await put("index.json", `${JSON.stringify(newer, null, 2)}\n`);
    return newer;
  } finally {
    await backup.destroy();
  }
}

/** By count and digest, which is quicker than row by row; a table with other columns is another table. */
async function asInBackup(state: FullRestore, name: { schema: string; table: string }): Promise<boolean> {
  const then = state.manifest.tables.find(({ schema, table }) => schema === name.schema && table === name.table);
  if (then === undefined) return false;
  const now = await tableDigest(state.today, then).catch((error) => {
    if (isBelayError(error, "archive_invalid")) return null;
    throw error;
  });
  return now !== null && now.rows === then.rows && now.digest === then.digest;
}

/** Ordinary tables of users, Belay's own left out: they may have changed since today's archive, so each is compared. */
async function tablesToday({ today }: FullRestore): Promise<{ schema: string; table: string }[]> {
  const rows = await today.sql<{ schema: string; table: string }[]>`
    select n.nspname as schema, c.relname as table
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_'
      and n.nspname not in ('information_schema', 'belay')
      and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by 1, 2`;
  return rows.map(({ schema, table }) => ({ schema, table }));
}
