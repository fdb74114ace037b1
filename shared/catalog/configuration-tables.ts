import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import type { CatalogScope } from "./types.ts";

/**
 * A table or sequence whose rows or value belong to the user although an extension made it (pg_extension_config_dump):
 * CREATE EXTENSION brings it back empty, or with the rows that `condition` leaves out.
 */
export interface ConfigurationTable {
  readonly oid: number;
  readonly kind: "TABLE" | "SEQUENCE";
  /** The extension that it is a member of. */
  readonly extension: string;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** In the order of the table, without generated ones; empty for a sequence. */
  readonly columns: readonly string[];
  /** SQL put behind `SELECT columns FROM table`, such as `WHERE NOT standard`; "" for all rows. */
  readonly condition: string;
  readonly bytes: number;
  /** Oids of the other configuration tables whose rows must be there first, because foreign keys stand already. */
  readonly references: readonly number[];
}

/**
 * The extensions' configuration tables, referenced ones first as far as there is no cycle; pg_dump writes their rows
 * as TABLE DATA, though the tables come with the extension. Throws `database_error`.
 */
export async function readConfigurationTables(
  session: Session,
  scope: Pick<CatalogScope, "excludeSchemas"> = {},
): Promise<ConfigurationTable[]> {
  const excluded = [...(scope.excludeSchemas ?? ["belay"])];
  try {
    const rows = await session.sql<ConfigurationTable[]>`
      with configured as (
        select e.extname::text as extension, u.oid, u.condition
        from pg_catalog.pg_extension e, unnest(e.extconfig, e.extcondition) as u (oid, condition)
      )
      select c.oid::int8::float8 as oid, case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind, f.extension,
        n.nspname::text as schema, c.relname::text as name, pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
        coalesce(f.condition, '') as condition, pg_catalog.pg_table_size(c.oid)::float8 as bytes,
        array(select a.attname::text from pg_catalog.pg_attribute a
          where a.attrelid = c.oid and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          order by a.attnum) as columns,
        array(select distinct o.confrelid::int8::float8 from pg_catalog.pg_constraint o
          where o.conrelid = c.oid and o.contype = 'f' and o.confrelid <> c.oid
            and o.confrelid in (select g.oid from configured g)) as references
      from configured f
      join pg_catalog.pg_class c on c.oid = f.oid and c.relkind in ('r', 'S')
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname <> all (${excluded}::text[])
      order by n.nspname, c.relname`;
    return referencedFirst(rows);
  } catch (error) {
    throw databaseError(error, { doing: "reading the configuration tables of extensions" });
  }
}

function referencedFirst(tables: readonly ConfigurationTable[]): ConfigurationTable[] {
  const left = new Map(tables.map((table) => [table.oid, table]));
  const ordered: ConfigurationTable[] = [];
  const place = (table: ConfigurationTable) => {
    if (!left.delete(table.oid)) return;
    for (const oid of table.references) {
      const referenced = left.get(oid);
      if (referenced !== undefined) place(referenced);
    }
    ordered.push(table);
  };
  for (const table of tables) place(table);
  return ordered;
}
