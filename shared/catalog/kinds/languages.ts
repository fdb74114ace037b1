import { qualified, quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface LanguageRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly trusted: boolean;
  readonly functions: readonly { readonly schema: string; readonly name: string; readonly clause: string }[];
}

/**
 * PROCEDURAL LANGUAGE entries, without those of excluded schemas. They always name their functions; pg_dump writes
 * `CREATE OR REPLACE PROCEDURAL LANGUAGE x` where it does not dump these, which only an extension `x` restores.
 */
export const languages: KindReader = async (context) => {
  const { session, excludeSchemas, inUse } = context;
  if (!inUse.has("pg_language")) return [];
  const rows = await session.sql<LanguageRow[]>`
    select l.oid, lanname as name, pg_get_userbyid(lanowner) as owner, lanpltrusted as trusted, f.functions
    from pg_language l, lateral (
      select json_agg(json_build_object('schema', nspname, 'name', proname, 'clause', clause) order by place) as functions,
        bool_or(nspname = any (${[...excludeSchemas]}::text[])) as excluded
      from (values (1, 'HANDLER', lanplcallfoid), (2, 'INLINE', laninline), (3, 'VALIDATOR', lanvalidator))
          as v (place, clause, oid)
        join pg_proc p on p.oid = v.oid join pg_namespace n on n.oid = pronamespace
    ) f
    where lanispl and l.oid >= 16384 and not excluded
      and not exists (select from pg_depend where classid = 'pg_language'::regclass and objid = l.oid and deptype = 'e')
      ${inScope(context, catalog.language, session.sql`l.oid`)}`;
  return rows.map((row) => {
    const name = quoteIdent(row.name);
    const functions = row.functions.map(({ clause, schema, name: own }) => ` ${clause} ${qualified(schema, own)}`);
    return rawEntry({
      kind: "PROCEDURAL LANGUAGE",
      name: row.name,
      owner: row.owner,
      create: `CREATE ${row.trusted ? "TRUSTED " : ""}PROCEDURAL LANGUAGE ${name}${functions.join("")};\n`,
      drop: `DROP PROCEDURAL LANGUAGE ${name};\n`,
      address: address(catalog.language, row.oid),
    });
  });
};
