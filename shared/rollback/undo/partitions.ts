import { entryKey } from "../../catalog/entry.ts";
import type { Entry } from "../../catalog/types.ts";

/** Keys of the tables that are partitions: columns and their types come from the parent alone. */
export function partitionKeys(entries: readonly Entry[]): Set<string> {
  const attached = entries.filter(({ kind }) => kind === "TABLE ATTACH");
  return new Set(attached.map(({ schema, name }) => entryKey({ kind: "TABLE", schema, name, owner: null })));
}

const attaching = new Set(["TABLE ATTACH", "INDEX ATTACH"]);
const keys = new Set(["CONSTRAINT", "INDEX"]);

/** The same entries with partitions attached after all keys and indexes, so that no key is made twice. */
export function attachedLast(entries: readonly Entry[]): Entry[] {
  if (!entries.some(({ kind }) => kind === "TABLE ATTACH")) return [...entries];
  const rest = entries.filter(({ kind }) => !attaching.has(kind));
  const at = rest.findLastIndex(({ kind }) => keys.has(kind)) + 1;
  const attached = entries.filter(({ kind }) => attaching.has(kind));
  attached.sort((a, b) => Number(a.kind === "INDEX ATTACH") - Number(b.kind === "INDEX ATTACH"));
  return [...rest.slice(0, at), ...attached, ...rest.slice(at)];
}
