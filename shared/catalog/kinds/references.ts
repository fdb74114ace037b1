import { edgesFrom, readEdges } from "../edges.ts";
import type { KindContext } from "../kind.ts";
import type { Address } from "../types.ts";
import { addressOf, catalogOid } from "./relations.ts";

/** What needs what, by `classid objid`: pg_depend, and a view's need of its own SELECT rule. */
export interface References {
  of(classid: number, objid: number): readonly Address[];
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

async function queryReferences(context: KindContext): Promise<References> {
  const edges = await readEdges(context);
  const outgoing = edgesFrom(edges);
  const ruleOf = new Map(
    edges.flatMap(({ from, to, type }) => (type === "i" && from.startsWith(rule) ? [[to, from]] : [])),
  );
  const known = new Map<string, readonly Address[]>();
  return {
    of: (classid, objid) => {
      const key = `${classid}/${objid}/0`;
      let found = known.get(key);
      if (found === undefined) {
        const targets = (outgoing.get(key) ?? []).flatMap(({ to, type }) => (type === "e" || type === "x" ? [] : [to]));
        const ownRule = ruleOf.get(key);
        found = (ownRule === undefined ? targets : [...targets, ownRule]).map(parse);
        known.set(key, found);
      }
      return found;
    },
  };
}

const rule = `${catalogOid.rewrite}/`;

function parse(key: string): Address {
  const [classid, objid] = key.split("/");
  return addressOf(Number(classid), Number(objid));
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
