import { managedSchemas } from "../../shared/archive/write/profile.ts";
import { entryKey } from "../../shared/catalog/entry.ts";
import { type Check, count, failed, naming, passed, wholeTables } from "./check.ts";

/** The set of tables is exactly the archive's: every table with rows is there, and none that the archive does not name. */
export const tablesCheck: Check = {
  name: "tables",
  async run({ scratch, manifest }) {
    const notOurs = manifest.profile === "supabase" ? await managedSchemas(scratch) : [];
    const rows = await scratch.sql`
      select n.nspname as schema, c.relname as table
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and n.nspname <> all (${notOurs}::text[])
        and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.deptype = 'e')`;
    const keyOf = (schema: string, name: string) => entryKey({ kind: "TABLE", schema, name, owner: null });
    const found = new Set(rows.map((row) => keyOf(row.schema, row.table)));
    const named = new Set(manifest.entries.map((entry) => entry.key));
    const wanted = wholeTables(manifest).map((table) => keyOf(table.schema, table.table));
    const missing = wanted.filter((key) => !found.has(key));
    const extra = [...found].filter((key) => !named.has(key) && !wanted.includes(key));
    if (missing.length > 0) return failed(naming("tables of the manifest are missing", missing));
    if (extra.length > 0) return failed(naming("tables are not in the archive", extra));
    return passed(`${count(wanted.length, "table")} with rows archived, ${found.size} in all, as in the archive`);
  },
};
