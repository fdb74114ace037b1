import { quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { functionSignature } from "./signatures.ts";

interface TransformRow {
  readonly oid: number;
  readonly type: string;
  readonly language: string;
  readonly fromSql: string | null;
  readonly toSql: string | null;
}

/** TRANSFORM entries, without those of excluded and temporary schemas. */
export const transforms: KindReader = async (context) => {
  const { session, excludeSchemas, inUse } = context;
  if (!inUse.has("pg_transform")) return [];
  const rows = await session.sql<TransformRow[]>`
    select t.oid, format_type(trftype, null) as type, lanname as language,
      ${functionSignature(session, session.sql`trffromsql`)} as "fromSql",
      ${functionSignature(session, session.sql`trftosql`)} as "toSql"
    from pg_transform t join pg_language l on l.oid = trflang
    where not exists (select from pg_depend where classid = 'pg_transform'::regclass and objid = t.oid and deptype = 'e')
      ${inScope(context, catalog.transform, session.sql`t.oid`)}
      and not exists (
        select from pg_namespace n
        where (nspname = any (${[...excludeSchemas]}::text[]) or nspname ~ '^pg_temp_') and n.oid in (
          select typnamespace from pg_type where oid = trftype
          union all select pronamespace from pg_proc where oid in (trffromsql, trftosql)))`;
  return rows.map((row) => {
    const name = `TRANSFORM FOR ${row.type} LANGUAGE ${quoteIdent(row.language)}`;
    const functions = [
      ...(row.fromSql === null ? [] : [`FROM SQL WITH FUNCTION ${row.fromSql}`]),
      ...(row.toSql === null ? [] : [`TO SQL WITH FUNCTION ${row.toSql}`]),
    ];
    return rawEntry({
      kind: "TRANSFORM",
      name,
      create: `CREATE ${name} (${functions.join(", ")});\n`,
      drop: `DROP ${name};\n`,
      address: address(catalog.transform, row.oid),
    });
  });
};
