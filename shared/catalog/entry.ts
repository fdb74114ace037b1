import { createHash } from "node:crypto";
import { quoteIdent } from "./identifiers.ts";
import type { RawEntry } from "./kind.ts";
import type { Address, Entry } from "./types.ts";

/** Names an entry within a snapshot, stable over dump and restore; the schema is quoted, so that parts cannot run together. */
export function entryKey(entry: Pick<Entry, "kind" | "schema" | "name" | "owner">): string {
  const key = `${entry.kind} ${entry.schema === null ? "-" : quoteIdent(entry.schema)} ${entry.name}`;
  // Default privileges of several roles differ in the role alone.
  return entry.kind === "DEFAULT ACL" ? `${key} ${entry.owner ?? ""}` : key;
}

export function entryHash(entry: Pick<Entry, HashedField>): string {
  return sha256(JSON.stringify(hashedFields.map((field) => entry[field])));
}

/** sha256 (hex) over key and hash of each entry, in key order. */
export function catalogDigest(entries: readonly Pick<Entry, "key" | "hash">[]): string {
  const lines = entries.map((entry) => `${entry.key}\t${entry.hash}\n`);
  return sha256(lines.sort(byText).join(""));
}

/** Gives every entry its key. pg_dump's names may coincide (table `a b`, trigger `c`; table `a`, trigger `b c`): those are numbered. */
export function keyedEntries(raw: readonly RawEntry[]): { key: string; raw: RawEntry }[] {
  const groups = new Map<string, RawEntry[]>();
  for (const entry of raw) {
    const key = entryKey(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  const keyed: { key: string; raw: RawEntry }[] = [];
  for (const [key, group] of groups) {
    group.sort((a, b) => byText(a.create, b.create));
    group.forEach((entry, index) => {
      keyed.push({ key: index === 0 ? key : `${key} #${index + 1}`, raw: entry });
    });
  }
  return keyed;
}

export function addressKey(address: Address): string {
  return `${address.classid}/${address.objid}/${address.objsubid}`;
}

/** Order by code unit: the same on every machine, unlike a locale's. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const hashedFields = ["kind", "schema", "name", "owner", "create", "drop", "tablespace", "tableam"] as const;
type HashedField = (typeof hashedFields)[number];

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
