import type { Address } from "../../catalog/types.ts";
import type { DependencyGraph } from "./dependency-graph.ts";

/** Beyond this, reading the whole catalog is as fast. */
const most = 5_000;

/** The objects whose entries statements can touch, given a graph that was read for them; null: read all. */
export function entriesOfGraph({ reached }: DependencyGraph): readonly Address[] | null {
  if (reached === undefined || reached.length > most) return null;
  return reached.flatMap(({ classid, objid }) => (objid < 16_384 ? [] : [{ classid, objid, objsubid: 0 }]));
}
