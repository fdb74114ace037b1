import type { Session } from "../../postgres/session.ts";
import type { AddressSet } from "../address-set.ts";
import type { KindContext } from "../kind.ts";
import type { Fragment } from "./signatures.ts";

/** ` and column in (...)` where a part of the catalog is read: the objects of that system catalog which the part touches. */
export function inScope({ session, reach }: KindContext, classid: number, column: Fragment): Fragment {
  if (reach === null) return session.sql``;
  return session.sql` and ${column} = any (${reach.objects.oids(classid)}::oid[])`;
}

/** Whether the part of the catalog that is read touches objects of one of these system catalogs. */
export function touches({ reach }: Pick<KindContext, "reach">, ...classids: readonly number[]): boolean {
  return reach === null || classids.some((classid) => reach.objects.oids(classid).length > 0);
}

/** As inScope, for what hangs on objects without being one: only those objects that are answered for. */
export function inAnswer({ session, reach }: KindContext, classid: number, column: Fragment): Fragment {
  if (reach === null) return session.sql``;
  return session.sql` and ${column} = any (${reach.answer.oids(classid)}::oid[])`;
}

/** The query `member (classid, objid)` of those among the objects that are an extension's. */
export function membersAmong({ sql }: Pick<Session, "sql">, objects: AddressSet): Fragment {
  const all = [...objects];
  return sql`member as materialized (
    select d.classid, d.objid from unnest(${all.map(({ classid }) => classid)}::oid[], ${all.map(({ objid }) => objid)}::oid[])
      as o (classid, objid) join pg_catalog.pg_depend d on d.classid = o.classid and d.objid = o.objid and d.deptype = 'e')`;
}

/** Whether the part of the catalog that is read touches relations of one of these kinds (pg_class.relkind). */
export function touchesRelations({ reach }: Pick<KindContext, "reach">, ...kinds: readonly string[]): boolean {
  return reach === null || kinds.some((kind) => reach.relationKinds.has(kind));
}
