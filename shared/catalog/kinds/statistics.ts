import { qualified } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { addressOf, catalogOid } from "./relations.ts";

interface StatisticsRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly relation: number;
  readonly definition: string;
  readonly target: number | null;
}

/** STATISTICS entries: extended statistics objects of tables that are no extension's, not what they have gathered. */
export const statistics: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_statistic_ext")) return [];
  const rows = await session.sql<StatisticsRow[]>`
    select s.oid::int8::float8 as oid, n.nspname::text as schema, s.stxname::text as name,
      pg_catalog.pg_get_userbyid(s.stxowner)::text as owner, s.stxrelid::int8::float8 as relation,
      pg_catalog.pg_get_statisticsobjdef(s.oid) as definition,
      case when s.stxstattarget >= 0 then s.stxstattarget::int end as target
    from pg_catalog.pg_statistic_ext s
    join pg_catalog.pg_namespace n on n.oid = s.stxnamespace
    where s.stxnamespace = any(${schemaOids as number[]}::oid[])
      and not exists (select from pg_catalog.pg_depend e where e.deptype = 'e'
        and (e.classid = s.tableoid and e.objid = s.oid
          or e.classid = 'pg_catalog.pg_class'::regclass and e.objid = s.stxrelid))
      ${inScope(context, catalogOid.statistics, session.sql`s.oid`)}
    order by s.oid`;
  return rows.map(statisticsEntry);
};

function statisticsEntry(row: StatisticsRow): RawEntry {
  const name = qualified(row.schema, row.name);
  const target = row.target === null ? "" : `ALTER STATISTICS ${name} SET STATISTICS ${row.target};\n`;
  return {
    kind: "STATISTICS",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    section: "post-data",
    create: `${row.definition};\n${target}`,
    drop: `DROP STATISTICS ${name};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.statistics, row.oid),
    dependsOn: [addressOf(catalogOid.class, row.relation)],
  };
}
