import { readTableRows } from "../../archive/read/objects.ts";
import { tableDigest } from "../../archive/table-digest.ts";
import type { ArchivedTable, Manifest } from "../../archive/types.ts";
import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import { copyIn } from "../../postgres/copy.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { mergeWhole, notOurs } from "./foreign-rows.ts";
import { identityOpened } from "./sequences.ts";
import { triggersAndRulesOff } from "./triggers-off.ts";

/** Rows put back into one table. */
export interface LoadedRows {
  readonly table: ArchivedTable;
  /** Rows of the side table that found no row any more; 0 for whole tables. */
  readonly orphans: number;
}

/** Loads every table of the archive: whole tables as they were, side tables merged by key. */
export async function loadRows(session: Session, store: ObjectStore, manifest: Manifest | null): Promise<LoadedRows[]> {
  if (manifest === null) return [];
  const loaded: LoadedRows[] = [];
  for (const table of manifest.tables)
    loaded.push({
      table,
      orphans:
        table.mergesInto === null
          ? await loadWhole(session, store, manifest, table)
          : await merge(session, store, manifest, table),
    });
  return loaded;
}

/** Rows that forward SQL put in are taken out first: the archive holds what was there. */
async function loadWhole(
  session: Session,
  store: ObjectStore,
  manifest: Manifest,
  table: ArchivedTable,
): Promise<number> {
  const name = qualified(table.schema, table.table);
  if (await notOurs(session, table)) {
    await mergeWhole(session, table, (into) => copyInto(session, store, manifest, table, into));
    return 0;
  }
  const triggersBack = await triggersAndRulesOff(session, table.schema, table.table);
  // A rule may turn DELETE away.
  await session.run(`truncate only ${name}`);
  await copyInto(session, store, manifest, table, name);
  for (const statement of triggersBack) await session.run(statement);
  return 0;
}

async function merge(session: Session, store: ObjectStore, manifest: Manifest, table: ArchivedTable): Promise<number> {
  const { schema, table: target, key, columns } = table.mergesInto!;
  const name = qualified(schema, target);
  const list = table.columns.map(quoteIdent).join(", ");
  await session.run(
    `create temporary table belay_lost on commit drop as select ${list} from only ${name} with no data`,
  );
  await copyInto(session, store, manifest, table, "pg_temp.belay_lost");
  const [count] = await session.sql`select count(*)::float8 as rows from pg_temp.belay_lost`;
  if (count!.rows !== table.rows) throw rowsDiffer(table);
  await session.run("analyze pg_temp.belay_lost");
  const triggersBack = await triggersAndRulesOff(session, schema, target);
  const match = key.map((column) => `t.${quoteIdent(column)} = s.${quoteIdent(column)}`).join(" and ");
  const set = columns.map((column) => `${quoteIdent(column)} = s.${quoteIdent(column)}`).join(", ");
  const identity = await identityOpened(session, schema, target, columns);
  for (const statement of identity.open) await session.run(statement);
  const updated = await session.run(`update only ${name} t set ${set} from pg_temp.belay_lost s where ${match}`);
  await requireMerged(session, table, match);
  for (const statement of identity.close) await session.run(statement);
  for (const statement of triggersBack) await session.run(statement);
  await session.run("drop table pg_temp.belay_lost");
  return table.rows - (updated.count ?? 0);
}

async function copyInto(session: Session, store: ObjectStore, manifest: Manifest, table: ArchivedTable, name: string) {
  const columns = table.columns.length === 0 ? "" : ` (${table.columns.map(quoteIdent).join(", ")})`;
  const rows = await copyIn(session, `copy ${name}${columns} from stdin`, readTableRows(store, manifest, table));
  if (rows !== table.rows) throw rowsDiffer(table);
}

/** A trigger or rule of a table that is not ours may have turned the update away, or changed what it wrote. */
async function requireMerged(session: Session, table: ArchivedTable, match: string): Promise<void> {
  const { schema, table: target, columns } = table.mergesInto!;
  const values = (alias: string) =>
    `row(${columns.map((column) => `${alias}.${quoteIdent(column)}`).join(", ")})::text`;
  const [row] = await session.run(
    `select exists (select from only ${qualified(schema, target)} t, pg_temp.belay_lost s
                     where ${match} and ${values("t")} is distinct from ${values("s")}) as differs`,
  );
  if (row!.differs === true) throw rowsDiffer(table);
}

/**
 * Compares whole tables with the manifest once nothing more is to be done: what runs after their rows are loaded, an event
 * trigger for one, may have changed them. Throws `archive_invalid`.
 */
export async function requireLoaded(session: Session, loaded: readonly LoadedRows[]): Promise<void> {
  for (const { table } of loaded) {
    if (table.mergesInto !== null) continue;
    const found = await tableDigest(session, table);
    if (found.rows !== table.rows || found.digest !== table.digest) throw rowsDiffer(table);
  }
}

function rowsDiffer(table: ArchivedTable): BelayError {
  return new BelayError(
    "archive_invalid",
    `rows of ${table.schema}.${table.table} came back other than they were archived`,
    {
      hint: "Nothing changed. Verify the archive, and restore it by hand with pg_restore if need be.",
      details: { schema: table.schema, table: table.table },
    },
  );
}
