import type { Session } from "../postgres/session.ts";
import { AddressSet } from "./address-set.ts";
import type { Address } from "./types.ts";

type Whole = Pick<Address, "classid" | "objid">;

/**
 * The objects, all that depends on them in pg_depend, directly or not, and what has such a part in its entry: every
 * object whose entry may name one of them.
 */
export async function readDependents({ sql }: Session, changed: readonly Whole[]): Promise<AddressSet> {
  const [row] = await sql<{ addresses: string }[]>`
    with recursive found (classid, objid) as (
      select * from unnest(${changed.map(({ classid }) => classid)}::oid[], ${changed.map(({ objid }) => objid)}::oid[])
      union
      select n.classid, n.objid from found r cross join lateral (
        select d.classid, d.objid from pg_catalog.pg_depend d
        where d.refclassid = r.classid and d.refobjid = r.objid and d.objid >= 16384
        -- What has it as a part: a default's table, a constraint's index's constraint, a multirange's range.
        union all select d.refclassid, d.refobjid from pg_catalog.pg_depend d
        where d.classid = r.classid and d.objid = r.objid and (
          d.deptype = 'i' and d.classid in ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_type'::regclass,
            'pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_constraint'::regclass)
          or d.deptype in ('i', 'a') and d.classid in ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_amop'::regclass,
            'pg_catalog.pg_amproc'::regclass))
        union all
        select case when o.conrelid = 0 then 'pg_catalog.pg_type'::regclass else 'pg_catalog.pg_class'::regclass end,
          case when o.conrelid = 0 then o.contypid else o.conrelid end
        from pg_catalog.pg_constraint o
        where r.classid = 'pg_catalog.pg_constraint'::regclass and o.oid = r.objid and o.contype in ('c', 'n')
        -- A partitioned index that others cannot be attached to names them in its own entry.
        union all select r.classid, h.inhparent from pg_catalog.pg_inherits h join pg_catalog.pg_class i on i.oid = h.inhrelid
        where r.classid = 'pg_catalog.pg_class'::regclass and h.inhrelid = r.objid and i.relkind in ('i', 'I')
      ) n
    )
    select string_agg(concat(classid, '/', objid), ' ') as addresses from found`;
  return new AddressSet(
    row!.addresses.split(" ").map((one) => {
      const [classid, objid] = one.split("/");
      return { classid: Number(classid), objid: Number(objid) };
    }),
  );
}
