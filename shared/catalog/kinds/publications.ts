import { qualified, quoteIdent } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface PublicationRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly allTables: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
  readonly viaRoot: boolean;
  /** Since 18: `n` none, `s` stored. */
  readonly generated: string;
}

interface MemberRow {
  readonly oid: number;
  readonly publication: string;
  readonly owner: string;
  readonly schema: string;
}

interface TableMemberRow extends MemberRow {
  readonly table: string;
  readonly columns: string[] | null;
  readonly filter: string | null;
}

/** PUBLICATION, PUBLICATION TABLE and PUBLICATION TABLES IN SCHEMA entries. */
export const publications: KindReader = async (context) =>
  context.inUse.has("pg_publication")
    ? (await Promise.all([publicationEntries(context), tableEntries(context), schemaEntries(context)])).flat()
    : [];

async function publicationEntries(context: KindContext): Promise<RawEntry[]> {
  const { session, serverVersion } = context;
  if (!touches(context, catalog.publication)) return [];
  const generated = serverVersion >= 180000 ? session.sql`pubgencols` : session.sql`'n'`;
  const rows = await session.sql<PublicationRow[]>`
    select oid, pubname as name, pg_get_userbyid(pubowner) as owner, puballtables as "allTables", pubinsert as insert,
      pubupdate as update, pubdelete as delete, pubtruncate as truncate, pubviaroot as "viaRoot",
      ${generated} as generated
    from pg_publication where true ${inScope(context, catalog.publication, session.sql`oid`)}`;
  return rows.map((row) => {
    const operations = (["insert", "update", "delete", "truncate"] as const).filter((operation) => row[operation]);
    const options = [
      `publish = '${operations.join(", ")}'`,
      ...(row.viaRoot ? ["publish_via_partition_root = true"] : []),
      ...(row.generated === "s" ? ["publish_generated_columns = stored"] : []),
    ];
    const name = quoteIdent(row.name);
    return rawEntry({
      kind: "PUBLICATION",
      name: row.name,
      owner: row.owner,
      section: "post-data",
      create: `CREATE PUBLICATION ${name}${row.allTables ? " FOR ALL TABLES" : ""} WITH (${options.join(", ")});\n`,
      drop: `DROP PUBLICATION ${name};\n`,
      address: address(catalog.publication, row.oid),
    });
  });
}

async function tableEntries(context: KindContext): Promise<RawEntry[]> {
  const { session, schemaOids } = context;
  if (!touches(context, catalog.publicationRelation)) return [];
  const rows = await session.sql<TableMemberRow[]>`
    select r.oid, pubname as publication, pg_get_userbyid(pubowner) as owner, nspname as schema, relname as table,
      pg_get_expr(prqual, prrelid) as filter,
      case when prattrs is not null then array(
        select attname::text from unnest(prattrs) with ordinality as a (num, n)
          join pg_attribute on attrelid = prrelid and attnum = num order by n
      ) end as columns
    from pg_publication_rel r
      join pg_publication p on p.oid = prpubid
      join pg_class c on c.oid = prrelid
      join pg_namespace n on n.oid = relnamespace
    where relnamespace = any (${[...schemaOids]}::oid[]) and not exists (
      select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e'
    ) ${inScope(context, catalog.publicationRelation, session.sql`r.oid`)}`;
  return rows.map((row) => {
    const columns = row.columns === null ? "" : ` (${row.columns.map(quoteIdent).join(", ")})`;
    const filter = row.filter === null ? "" : ` WHERE (${row.filter})`;
    const table = qualified(row.schema, row.table);
    return memberEntry(row, "PUBLICATION TABLE", {
      name: row.table,
      clause: `TABLE ONLY ${table}${columns}${filter}`,
      classid: catalog.publicationRelation,
    });
  });
}

async function schemaEntries(context: KindContext): Promise<RawEntry[]> {
  const { session, schemaOids } = context;
  if (!touches(context, catalog.publicationSchema)) return [];
  const rows = await session.sql<MemberRow[]>`
    select m.oid, pubname as publication, pg_get_userbyid(pubowner) as owner, nspname as schema
    from pg_publication_namespace m
      join pg_publication p on p.oid = pnpubid
      join pg_namespace n on n.oid = pnnspid
    where n.oid = any (${[...schemaOids]}::oid[])
      ${inScope(context, catalog.publicationSchema, session.sql`m.oid`)}`;
  return rows.map((row) =>
    memberEntry(row, "PUBLICATION TABLES IN SCHEMA", {
      name: row.schema,
      clause: `TABLES IN SCHEMA ${quoteIdent(row.schema)}`,
      classid: catalog.publicationSchema,
    }),
  );
}

function memberEntry(
  row: MemberRow,
  kind: string,
  member: { name: string; clause: string; classid: number },
): RawEntry {
  return rawEntry({
    kind,
    schema: row.schema,
    name: `${row.publication} ${member.name}`,
    owner: row.owner,
    section: "post-data",
    create: `ALTER PUBLICATION ${quoteIdent(row.publication)} ADD ${member.clause};\n`,
    address: address(member.classid, row.oid),
  });
}
