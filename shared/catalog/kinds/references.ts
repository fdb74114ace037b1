import type { KindContext } from "../kind.ts";
import type { Address } from "../types.ts";
import { addressOf, catalogOid } from "./relations.ts";

/** What needs what, by `classid objid`: pg_depend, and a view's need of its own SELECT rule. */
export interface References {
  of(classid: number, objid: number): readonly Address[];
}

interface ReferenceRow {
  readonly classid: number;
  readonly objid: number;
  readonly refclassid: number;
  readonly refobjid: number;
  readonly deptype: string;
}

const shared = new WeakMap<KindContext, Promise<References>>();

/** pg_depend as a graph of whole objects; read once per context. */
export function readReferences(context: KindContext): Promise<References> {
  let references = shared.get(context);
  if (references === undefined) {
    references = queryReferences(context);
    shared.set(context, references);
  }
  return references;
}

async function queryReferences({ session }: KindContext): Promise<References> {
  const rows = await session.sql<ReferenceRow[]>`
    select distinct classid::int8::float8 as classid, objid::int8::float8 as objid,
      refclassid::int8::float8 as refclassid, refobjid::int8::float8 as refobjid, deptype::text as deptype
    from pg_catalog.pg_depend where deptype not in ('p', 'e', 'x') and objid >= 16384`;
  const graph = new Map<string, Address[]>();
  const add = (from: Address, to: Address) => {
    const key = addressKey(from);
    const list = graph.get(key);
    if (list === undefined) graph.set(key, [to]);
    else list.push(to);
  };
  for (const row of rows) {
    const from = addressOf(row.classid, row.objid);
    const to = addressOf(row.refclassid, row.refobjid);
    if (row.classid === row.refclassid && row.objid === row.refobjid) continue;
    add(from, to);
    if (row.classid === catalogOid.rewrite && row.deptype === "i") add(to, from);
  }
  return { of: (classid, objid) => graph.get(`${classid} ${objid}`) ?? [] };
}

export function addressKey(address: Address): string {
  return `${address.classid} ${address.objid}`;
}

/** Whether `target` is found by following references from `start`; `also` adds references that pg_depend turns round. */
export function reaches(
  references: References,
  start: readonly Address[],
  target: (address: Address) => boolean,
  also: (address: Address) => readonly Address[] = () => [],
): boolean {
  const seen = new Set<string>();
  const pending = [...start];
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    const key = addressKey(address);
    if (seen.has(key)) continue;
    seen.add(key);
    if (target(address)) return true;
    pending.push(...references.of(address.classid, address.objid), ...also(address));
  }
  return false;
}
