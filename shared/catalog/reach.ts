import type { Session } from "../postgres/session.ts";
import { AddressSet } from "./address-set.ts";
import { type Edge, parseEdges } from "./edges.ts";
import type { Address } from "./types.ts";

/** What a read of a part of the catalog touches. */
export interface Reach {
  /** The objects whose entries are answered. */
  readonly answer: AddressSet;
  /** These, and all that their entries refer to, directly or not: what decides their dependencies and sections. */
  readonly objects: AddressSet;
  /** Their pg_class.relkind, and pg_type.typtype without arrays and row types of tables. */
  readonly relationKinds: ReadonlySet<string>;
  readonly typeKinds: ReadonlySet<string>;
  /** pg_depend's rows from these objects. */
  readonly edges: readonly Edge[];
}

interface ReachRow {
  readonly answer: string | null;
  readonly objects: string | null;
  readonly edges: string | null;
  readonly relations: string[];
  readonly types: string[];
}

/**
 * Follows pg_depend from some objects to what they need. `belongings`: with what belongs to them (a table's
 * constraints, indexes, triggers, ...); without it, to exactly these objects.
 */
export async function readReach(
  session: Session,
  schemaOids: readonly number[],
  asked: Iterable<Pick<Address, "classid" | "objid">>,
  belongings: boolean,
): Promise<Reach> {
  const { sql } = session;
  const all = [...asked];
  const schemas = [...schemaOids];
  const [row] = await sql<ReachRow[]>`
    with recursive asked (classid, objid) as materialized (
      select * from unnest(${all.map(({ classid }) => classid)}::oid[], ${all.map(({ objid }) => objid)}::oid[])
    ), answer (classid, objid) as materialized (
      select classid, objid from asked ${belongings ? belongingsOf(session) : sql``}
    ), reached (classid, objid) as (
      select classid, objid from answer
      union select 'pg_catalog.pg_namespace'::regclass, 'pg_catalog'::regnamespace from asked where objid < 16384
      union
      select n.classid, n.objid from reached r cross join lateral (
        select d.refclassid as classid, d.refobjid as objid from pg_catalog.pg_depend d
        where d.classid = r.classid and d.objid = r.objid
          and (d.refobjid >= 16384 or d.refclassid = 'pg_catalog.pg_namespace'::regclass)
        ${partsWithoutEntries(session, schemas)}
      ) n
    ), members as materialized (select classid, objid from reached)
    select (select string_agg(concat(classid, '/', objid), ' ') from answer) as answer,
      (select string_agg(concat(classid, '/', objid), ' ') from members) as objects,
      array(select distinct c.relkind::text from members m join pg_catalog.pg_class c on c.oid = m.objid
        where m.classid = 'pg_catalog.pg_class'::regclass) as relations,
      array(select distinct t.typtype::text from members m join pg_catalog.pg_type t on t.oid = m.objid
        where m.classid = 'pg_catalog.pg_type'::regclass
          and not exists (select from pg_catalog.pg_type e where e.oid = t.typelem and e.typarray = t.oid)
          and (t.typrelid = 0 or exists (select from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
      ) as types,
      (select string_agg(concat(classid, '/', objid, '/0 ', refclassid, '/', refobjid, '/0 ', deptype), E'\n') from (
        select distinct d.classid, d.objid, d.refclassid, d.refobjid,
          case when d.classid in ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass)
            and d.refclassid not in ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_opfamily'::regclass)
            then 'n' else d.deptype end as deptype
        -- By the index: how few members there are the server cannot know.
        from members m cross join lateral (
          select * from pg_catalog.pg_depend o where o.classid = m.classid and o.objid = m.objid offset 0) d
        where d.objid >= 16384 and d.deptype <> 'p'
          and (d.refobjid >= 16384 or d.refclassid = 'pg_catalog.pg_namespace'::regclass)
          and (d.classid, d.objid) is distinct from (d.refclassid, d.refobjid)) e) as edges`;
  return {
    answer: new AddressSet(parseAddresses(row!.answer)),
    objects: new AddressSet(parseAddresses(row!.objects)),
    relationKinds: new Set(row!.relations),
    typeKinds: new Set(row!.types),
    edges: parseEdges(row!.edges),
  };
}

/** Objects with entries of their own that come and go with another. Partitions and children of a table do not belong to it. */
function belongingsOf({ sql }: Session) {
  return sql`
    union select 'pg_catalog.pg_class'::regclass, i.indexrelid
      from asked join pg_catalog.pg_index i on i.indrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_class'::regclass, i.conindid
      from asked join pg_catalog.pg_constraint i on i.oid = objid and i.contype in ('p', 'u', 'x') where classid = 'pg_catalog.pg_constraint'::regclass
    union select 'pg_catalog.pg_constraint'::regclass, o.oid
      from asked join pg_catalog.pg_constraint o on o.conrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_constraint'::regclass, o.oid
      from asked join pg_catalog.pg_constraint o on o.contypid = objid where classid = 'pg_catalog.pg_type'::regclass
    union select 'pg_catalog.pg_constraint'::regclass, o.refobjid
      from asked a join pg_catalog.pg_depend o on o.classid = a.classid and o.objid = a.objid and o.deptype = 'i'
        and o.refclassid = 'pg_catalog.pg_constraint'::regclass where a.classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_attrdef'::regclass, o.oid
      from asked join pg_catalog.pg_attrdef o on o.adrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_trigger'::regclass, o.oid
      from asked join pg_catalog.pg_trigger o on o.tgrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_rewrite'::regclass, o.oid
      from asked join pg_catalog.pg_rewrite o on o.ev_class = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_policy'::regclass, o.oid
      from asked join pg_catalog.pg_policy o on o.polrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_statistic_ext'::regclass, o.oid
      from asked join pg_catalog.pg_statistic_ext o on o.stxrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_publication_rel'::regclass, o.oid
      from asked join pg_catalog.pg_publication_rel o on o.prrelid = objid where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_publication_rel'::regclass, o.oid
      from asked join pg_catalog.pg_publication_rel o on o.prpubid = objid where classid = 'pg_catalog.pg_publication'::regclass
    union select 'pg_catalog.pg_publication_namespace'::regclass, o.oid
      from asked join pg_catalog.pg_publication_namespace o on o.pnpubid = objid where classid = 'pg_catalog.pg_publication'::regclass
    union select 'pg_catalog.pg_class'::regclass, s.oid
      from asked a join pg_catalog.pg_depend d on d.refclassid = a.classid and d.refobjid = a.objid
        and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
        join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
      where a.classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_type'::regclass, c.reltype
      from asked join pg_catalog.pg_class c on c.oid = objid and c.reltype <> 0 where classid = 'pg_catalog.pg_class'::regclass
    union select 'pg_catalog.pg_class'::regclass, t.typrelid
      from asked join pg_catalog.pg_type t on t.oid = objid and t.typrelid <> 0 where classid = 'pg_catalog.pg_type'::regclass`;
}

/**
 * What is part of an object `r` without an entry of its own, so that its needs are that object's. The catalogs are
 * asked by their indexes: a table that many refer to has thousands of rows in pg_depend.
 */
function partsWithoutEntries({ sql }: Session, schemas: readonly number[]) {
  return sql`
    union all select 'pg_catalog.pg_attrdef'::regclass, o.oid from pg_catalog.pg_attrdef o
      where r.classid = 'pg_catalog.pg_class'::regclass and o.adrelid = r.objid
    union all select 'pg_catalog.pg_constraint'::regclass, o.oid from pg_catalog.pg_constraint o
      where r.classid = 'pg_catalog.pg_class'::regclass and o.conrelid = r.objid and o.contype in ('c', 'n')
    union all select 'pg_catalog.pg_rewrite'::regclass, o.oid from pg_catalog.pg_rewrite o
      where r.classid = 'pg_catalog.pg_class'::regclass and o.ev_class = r.objid and o.rulename = '_RETURN'
    union all select 'pg_catalog.pg_class'::regclass, o.indexrelid from pg_catalog.pg_index o
      where r.classid = 'pg_catalog.pg_class'::regclass and o.indrelid = r.objid and not (o.indisvalid and o.indisready)
    union all select 'pg_catalog.pg_statistic_ext'::regclass, o.oid from pg_catalog.pg_statistic_ext o
      where r.classid = 'pg_catalog.pg_class'::regclass and o.stxrelid = r.objid
        and o.stxnamespace <> all (${[...schemas]}::oid[])
    union all select 'pg_catalog.pg_class'::regclass, o.inhrelid from pg_catalog.pg_inherits o
      join pg_catalog.pg_class c on c.oid = o.inhrelid
      where r.classid = 'pg_catalog.pg_class'::regclass and o.inhparent = r.objid
        and (c.relkind in ('i', 'I') or c.relnamespace <> all (${[...schemas]}::oid[]))
    union all select d.classid, d.objid from pg_catalog.pg_depend d
      where r.objid >= 16384 and d.refclassid = r.classid and d.refobjid = r.objid
        and r.classid in ('pg_catalog.pg_constraint'::regclass, 'pg_catalog.pg_type'::regclass,
          'pg_catalog.pg_trigger'::regclass, 'pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_opfamily'::regclass)
        and (d.deptype = 'i' or d.deptype = 'a' and d.classid in ('pg_catalog.pg_amop'::regclass,
          'pg_catalog.pg_amproc'::regclass, 'pg_catalog.pg_constraint'::regclass))`;
}

function parseAddresses(text: string | null): { classid: number; objid: number }[] {
  if (text === null) return [];
  return text.split(" ").map((one) => {
    const [classid, objid] = one.split("/");
    return { classid: Number(classid), objid: Number(objid) };
  });
}
