import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import { type Check, count, failed, naming, passed } from "./check.ts";

interface ForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly parentSchema: string;
  readonly parent: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  readonly full: boolean;
}

/** No row points to a parent that is not there. Asked by anti-join: a restored constraint can be marked valid over orphans. */
export const foreignKeysCheck: Check = {
  name: "foreign_keys",
  async run({ scratch }) {
    const rows = await scratch.sql`
      select k.conname as name, n.nspname as schema, c.relname as table, pn.nspname as "parentSchema",
        p.relname as parent, k.confmatchtype = 'f' as full,
        array(select a.attname::text from unnest(k.conkey) with ordinality x(num, i)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.num order by x.i) as columns,
        array(select a.attname::text from unnest(k.confkey) with ordinality x(num, i)
          join pg_attribute a on a.attrelid = k.confrelid and a.attnum = x.num order by x.i) as "parentColumns"
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
      where k.contype = 'f' and k.conparentid = 0 and k.convalidated
      order by 2, 3, 1`;
    const keys = rows as unknown as ForeignKey[];
    const broken: string[] = [];
    for (const key of keys) {
      const [row] = await scratch.run(orphansQuery(key));
      if (row!.orphans > 0) broken.push(`${key.schema}.${key.table} ${key.name}: ${row!.orphans} orphans`);
    }
    if (broken.length > 0) return failed(naming("foreign keys do not hold", broken));
    return passed(`no orphans under ${count(keys.length, "foreign key")}`);
  },
};

function orphansQuery(key: ForeignKey): string {
  const joined = key.columns
    .map((column, index) => `p.${quoteIdent(key.parentColumns[index]!)} = c.${quoteIdent(column)}`)
    .join(" and ");
  const nulls = key.columns.map((column) => `c.${quoteIdent(column)} is null`);
  const exempt = nulls.join(key.full ? " and " : " or ");
  return `select count(*)::float8 as orphans from ${qualified(key.schema, key.table)} c
    where not (${exempt}) and not exists (select from ${qualified(key.parentSchema, key.parent)} p where ${joined})`;
}
