import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface TypeRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
}

interface RangeRow extends TypeRow {
  readonly subtype: string;
  readonly multirange: string | null;
  readonly opclass: string | null;
  readonly collation: string | null;
  readonly canonical: string | null;
  readonly diff: string | null;
}

interface AttributeRow {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
}

/** TYPE entries: enums, composite types, ranges (their multirange type comes along), and types only announced. */
export const types: KindReader = async (context) =>
  (await Promise.all([enums(context), composites(context), ranges(context), announced(context)])).flat();

async function enums(context: KindContext): Promise<RawEntry[]> {
  const { session, typeKinds } = context;
  if (!typeKinds.has("e")) return [];
  const rows = await session.sql<(TypeRow & { labels: string[] })[]>`
    select ${typeColumns(context)},
      array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder) as labels
    from ${userTypes(context)} and typtype = 'e'`;
  return rows.map((row) => typeEntry(row, ` AS ENUM (${row.labels.map((label) => `\n    ${quoteLiteral(label)}`)}\n)`));
}

async function composites(context: KindContext): Promise<RawEntry[]> {
  const { session, typeKinds } = context;
  if (!typeKinds.has("c")) return [];
  const rows = await session.sql<(TypeRow & { attributes: AttributeRow[] })[]>`
    select ${typeColumns(context)}, (
      select coalesce(json_agg(json_build_object(
        'name', attname, 'type', format_type(atttypid, atttypmod),
        'collation', case when attcollation <> at.typcollation
          then quote_ident(cn.nspname) || '.' || quote_ident(collname) end
      ) order by attnum), '[]')
      from pg_attribute a
        join pg_type at on at.oid = atttypid
        left join pg_collation c on c.oid = attcollation
        left join pg_namespace cn on cn.oid = collnamespace
      where attrelid = t.typrelid and attnum > 0 and not attisdropped
    ) as attributes
    from ${userTypes(context)} and typtype = 'c'
      and exists (select from pg_class where oid = t.typrelid and relkind = 'c')`;
  return rows.map((row) => typeEntry(row, ` AS (${row.attributes.map(attributeText)}\n)`));
}

function attributeText({ name, type, collation }: AttributeRow): string {
  return `\n\t${quoteIdent(name)} ${type}${collation === null ? "" : ` COLLATE ${collation}`}`;
}

async function ranges(context: KindContext): Promise<RawEntry[]> {
  const { session, typeKinds } = context;
  if (!typeKinds.has("r")) return [];
  const rows = await session.sql<RangeRow[]>`
    select ${typeColumns(context)}, format_type(rngsubtype, null) as subtype,
      case when rngmultitypid <> 0 then rngmultitypid::regtype::text end as multirange,
      case when not opcdefault then quote_ident(on_.nspname) || '.' || quote_ident(opcname) end as opclass,
      case when rngcollation <> st.typcollation
        then quote_ident(cn.nspname) || '.' || quote_ident(collname) end as collation,
      nullif(rngcanonical::text, '-') as canonical, nullif(rngsubdiff::text, '-') as diff
    from pg_range r
      join pg_type st on st.oid = rngsubtype
      join pg_opclass o on o.oid = rngsubopc join pg_namespace on_ on on_.oid = opcnamespace
      left join pg_collation c on c.oid = rngcollation left join pg_namespace cn on cn.oid = collnamespace,
      ${userTypes(context)} and t.oid = r.rngtypid`;
  return rows.map((row) => {
    const options = [
      ["subtype", row.subtype],
      ["multirange_type_name", row.multirange],
      ["subtype_opclass", row.opclass],
      ["collation", row.collation],
      ["canonical", row.canonical],
      ["subtype_diff", row.diff],
    ].filter(([, value]) => value !== null);
    return typeEntry(row, ` AS RANGE (${options.map(([name, value]) => `\n    ${name} = ${value}`)}\n)`);
  });
}

/** Types of which only the name is known: `CREATE TYPE x;`. */
async function announced(context: KindContext): Promise<RawEntry[]> {
  if (!context.typeKinds.has("p")) return [];
  const rows = await context.session.sql<TypeRow[]>`
    select ${typeColumns(context)} from ${userTypes(context)} and typtype = 'p' and not typisdefined`;
  return rows.map((row) => typeEntry(row, ""));
}

function typeEntry(row: TypeRow, definition: string): RawEntry {
  const name = qualified(row.schema, row.name);
  return rawEntry({
    kind: "TYPE",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `CREATE TYPE ${name}${definition};\n`,
    drop: `DROP TYPE ${name};\n`,
    address: address(catalog.type, row.oid),
  });
}

function typeColumns({ session }: KindContext) {
  return session.sql`t.oid, n.nspname as schema, t.typname as name, pg_get_userbyid(t.typowner) as owner`;
}

/** `from` items with a `where`, to be continued with `and`. */
export function userTypes(context: KindContext) {
  const { session, schemaOids } = context;
  return session.sql`pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = t.oid and deptype = 'e')
      ${inScope(context, catalog.type, session.sql`t.oid`)}`;
}
