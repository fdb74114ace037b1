import type { ArchivedTable } from "../../archive/types.ts";
import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";

type Named = Pick<ArchivedTable, "schema" | "table">;

/** Whether a table belongs to a role that ours may not act as, such as storage.buckets on Supabase. */
export async function notOurs(session: Session, { schema, table }: Named): Promise<boolean> {
  const [row] = await session.sql`
    select not pg_has_role(relowner, 'USAGE') as foreign from pg_class where oid = ${qualified(schema, table)}::regclass`;
  return row!.foreign as boolean;
}

/**
 * Makes the rows of a table equal to archived ones with what rows alone allow: foreign keys and triggers stay on, so
 * only rows that differ are touched, by a key. Throws `undo_conflict` when the table has none.
 */
export async function mergeWhole(
  session: Session,
  table: ArchivedTable,
  fill: (temporaryTable: string) => Promise<void>,
): Promise<void> {
  const name = qualified(table.schema, table.table);
  const key = await readKey(session, table);
  const list = table.columns.map(quoteIdent);
  await session.run(
    `create temporary table belay_whole on commit drop as select ${list.join(", ")} from only ${name} with no data`,
  );
  await fill("pg_temp.belay_whole");
  await session.run("analyze pg_temp.belay_whole");
  const match = key.map((column) => `t.${quoteIdent(column)} = s.${quoteIdent(column)}`).join(" and ");
  const others = list.filter((column) => !key.map(quoteIdent).includes(column));
  const row = (alias: string) => `row(${list.map((column) => `${alias}.${column}`).join(", ")})::text`;
  await session.run(`delete from only ${name} t where not exists (select from pg_temp.belay_whole s where ${match})`);
  if (others.length > 0)
    await session.run(
      `update only ${name} t set ${others.map((column) => `${column} = s.${column}`).join(", ")}
         from pg_temp.belay_whole s where ${match} and ${row("t")} <> ${row("s")}`,
    );
  await session.run(
    `insert into ${name} (${list.join(", ")}) overriding system value
       select ${list.join(", ")} from pg_temp.belay_whole s where not exists (select from only ${name} t where ${match})`,
  );
  await session.run("drop table pg_temp.belay_whole");
}

/** Columns of the smallest unique key without nulls, the primary one first. */
async function readKey(session: Session, { schema, table }: Named): Promise<string[]> {
  const [row] = await session.sql<{ columns: string[] }[]>`
    select array_agg(a.attname::text order by k.position) as columns
      from pg_index i, unnest(i.indkey::int2[]) with ordinality as k (number, position)
      join pg_attribute a on a.attnum = k.number
     where i.indrelid = ${qualified(schema, table)}::regclass and a.attrelid = i.indrelid and i.indisunique and i.indisvalid
       and i.indpred is null and i.indexprs is null and k.position <= i.indnkeyatts
     group by i.indexrelid, i.indisprimary
    having bool_and(a.attnotnull)
     order by i.indisprimary desc, count(*), i.indexrelid limit 1`;
  if (row !== undefined) return row.columns;
  throw new BelayError("undo_conflict", `${schema}.${table} is not ours and has no key by which rows could be merged`, {
    hint: "Nothing changed. Put its rows back by hand from the archive.",
  });
}
