import { quoteIdent } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import type { SeedCheck, SeedColumn, SeedForeignKey, SeedSchema, SeedTable, SeedType } from "./types.ts";

/** SQL condition on pg_class c and pg_namespace n: tables of the project, not of the server, an extension or Belay. */
export const ofTheProject = `n.nspname not in ('pg_catalog', 'information_schema', 'belay') and n.nspname !~ '^pg_(toast|temp)'
  and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')`;

/** Reads all that the generator must know of the tables, in one round trip. */
export async function readSeedSchema(session: Session): Promise<SeedSchema> {
  const [tables, types, deferred] = await Promise.all([
    session.sql.unsafe(tablesQuery),
    session.sql.unsafe(typesQuery),
    session.sql.unsafe(
      "select n.nspname as schema, k.conname as name from pg_constraint k join pg_namespace n on n.oid = k.connamespace where k.condeferred",
    ),
  ]);
  const byOid = new Map((types as unknown as SeedType[]).map((type) => [Number(type.oid), type]));
  return {
    tables: (tables as unknown as TableRow[]).map((row) => asTable(row, byOid)),
    types: byOid,
    deferred: deferred.map(({ schema, name }) => `${quoteIdent(schema)}.${quoteIdent(name)}`),
  };
}

interface TableRow extends Omit<SeedTable, "oid" | "keys" | "checks"> {
  readonly oid: string;
  readonly bound: string | null;
  readonly checks: readonly { expression: string; numbers: readonly number[] | null }[];
  readonly keys: readonly { columns: readonly string[]; parent: number; parentColumns: readonly string[] }[];
}

function asTable({ bound, ...row }: TableRow, types: ReadonlyMap<number, SeedType>): SeedTable {
  const nameOf = new Map(row.columns.map((column) => [column.number, column.name]));
  const checks: SeedCheck[] = row.checks.map(({ expression, numbers }) => ({
    expression,
    columns: (numbers ?? []).flatMap((number) => nameOf.get(number) ?? []),
  }));
  if (bound !== null) checks.push({ expression: bound, columns: columnsIn(bound, row.columns) });
  for (const column of row.columns) checks.push(...domainChecks(column, types));
  return { ...row, oid: Number(row.oid), checks, keys: row.keys as readonly SeedForeignKey[] };
}

function columnsIn(expression: string, columns: readonly SeedColumn[]): string[] {
  const bare = expression.replace(/'(?:[^']|'')*'/g, "''");
  const words = new Set(bare.match(/"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*/g) ?? []);
  return columns.flatMap(({ name }) => (words.has(quoteIdent(name)) ? [name] : []));
}

function domainChecks(column: SeedColumn, types: ReadonlyMap<number, SeedType>): SeedCheck[] {
  const checks: SeedCheck[] = [];
  let type = types.get(column.type);
  for (let depth = 0; type?.sort === "d" && depth < 8; depth++) {
    for (const check of type.checks)
      checks.push({
        expression: check.replace(/\bVALUE\b/g, () => quoteIdent(column.name)),
        columns: [column.name],
      });
    type = types.get(type.inner);
  }
  return checks;
}

const names = (oid: string, numbers: string) =>
  `(select json_agg(a.attname order by u.i) from unnest(${numbers}) with ordinality u(n, i) join pg_attribute a on a.attrelid = ${oid} and a.attnum = u.n)`;

// A key that refers to a partitioned table has more rows in pg_constraint, one for each partition: those are left out.
const tablesQuery = `
  select c.oid::int8::text as oid, n.nspname as schema, c.relname as name,
    case when c.relispartition then pg_get_partition_constraintdef(c.oid) end as bound,
    coalesce((select json_agg(json_build_object('number', a.attnum, 'name', a.attname, 'type', a.atttypid::int8,
        'modifier', a.atttypmod, 'notNull', a.attnotnull, 'generated', a.attgenerated <> '',
        'hasDefault', a.atthasdef or a.attidentity <> '') order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
    coalesce((select json_agg(json_build_object('expression', pg_get_expr(k.conbin, k.conrelid), 'numbers', k.conkey) order by k.conname)
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'), '[]') as checks,
    coalesce((select json_agg(json_build_object('parent', k.confrelid::int8, 'columns', ${names("k.conrelid", "k.conkey")},
        'parentColumns', ${names("k.confrelid", "k.confkey")}) order by k.conname)
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
       and not exists (select from pg_constraint u where u.oid = k.conparentid and u.conrelid = k.conrelid)), '[]') as keys,
    exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as "hasTriggers",
    case when c.relispartition then array(select p.relid::int8::int from pg_partition_ancestors(c.oid) with ordinality p(relid, i) where p.i > 1 order by p.i)
         else '{}' end as ancestors,
    coalesce((select json_agg(distinct jsonb_build_object('name', format('%I.%I', sn.nspname, s.relname), 'column', a.attname))
      from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_namespace sn on sn.oid = s.relnamespace
           join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
        and d.refobjsubid > 0 and d.deptype in ('a', 'i')), '[]') as sequences
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and ${ofTheProject} order by n.nspname, c.relname`;

const typesQuery = `
  select t.oid::int8::int as oid, format_type(t.oid, null) as name, t.typtype as sort, t.typcategory as category,
    coalesce(nullif(t.typbasetype, 0)::int8, nullif(case when t.typcategory = 'A' then t.typelem else 0 end, 0)::int8,
             (select r.rngsubtype::int8 from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)), 0)::int as inner,
    t.typtypmod as modifier, t.typnotnull as "notNull",
    case when t.typtype = 'e' then array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) else '{}' end as labels,
    case when t.typtype = 'd' then array(select pg_get_expr(k.conbin, 0) from pg_constraint k where k.contypid = t.oid and k.contype = 'c') else '{}' end as checks,
    case when t.typtype = 'c' then coalesce((select json_agg(json_build_object('type', a.atttypid::int8, 'modifier', a.atttypmod) order by a.attnum)
        from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '[]') else '[]' end as attributes
  from pg_type t where t.typtype <> 'p'`;
