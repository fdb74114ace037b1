import type { Session } from "../postgres/session.ts";
import type { Fingerprints } from "./account.ts";
import { AddressSet } from "./address-set.ts";
import type { PlacedEntry } from "./assemble.ts";
import { readDependents } from "./dependents.ts";
import { catalog } from "./kinds/raw-entry.ts";
import { readPart } from "./read-part.ts";
import type { ReadEntries } from "./read-whole.ts";
import type { Address, CatalogScope } from "./types.ts";
import type { WatchedState } from "./watched-state.ts";

type Whole = Pick<Address, "classid" | "objid">;

/** With more than this part of the objects to be read again, all are. */
const largestPart = 0.5;

/**
 * The entries of a state with what changed since read again; null where a whole read is simpler or safer: much changed,
 * a role or tablespace did, there are objects that the reader does not know, or keys that several entries share.
 */
export async function rereadChanged(
  session: Session,
  scope: CatalogScope,
  last: WatchedState,
  now: Fingerprints,
): Promise<ReadEntries | null> {
  if (now.general !== last.fingerprints.general || last.read.unknown.length > 0) return null;
  const { changed, gone } = differences(last.fingerprints, now);
  const most = now.objects.size * largestPart;
  if (hasClassOf(changed, wholeCatalogs) || hasClassOf(gone, wholeCatalogs) || changed.size > most) return null;
  const again = changed.size === 0 ? changed : await readDependents(session, [...changed]);
  if (hasClassOf(again, wholeCatalogs) || again.size > most) return null;
  const part = await readPart(session, scope, { objects: again, exact: true });
  if (part.unknown.length > 0) return null;
  const isOutdated = (object: Whole) => again.has(object) || gone.has(object);
  const kept = last.read.entries.filter(({ object, owner }) => !isOutdated(object) && !isOutdated(owner));
  const entries = [...kept, ...part.entries];
  return shareKeys(entries) ? null : { entries, unknown: [] };
}

/** Operators and their classes, which share names, and what may be unknown to the reader. */
const wholeCatalogs: readonly number[] = [
  ...[catalog.operator, catalog.operatorClass, catalog.operatorFamily],
  ...[catalog.userMapping, catalog.subscription, catalog.largeObject],
];

function hasClassOf(objects: AddressSet, classids: readonly number[]): boolean {
  return classids.some((classid) => objects.oids(classid).length > 0);
}

function differences(before: Fingerprints, after: Fingerprints): { changed: AddressSet; gone: AddressSet } {
  const changed = new AddressSet();
  const gone = new AddressSet();
  for (const [key, hash] of after.objects) if (before.objects.get(key) !== hash) changed.add(parseKey(key));
  for (const key of before.objects.keys()) if (!after.objects.has(key)) gone.add(parseKey(key));
  return { changed, gone };
}

function parseKey(key: string): Whole {
  const [classid, objid] = key.split("/");
  return { classid: Number(classid), objid: Number(objid) };
}

/** Whether names run together, so that entries are told apart by number. */
function shareKeys(entries: readonly PlacedEntry[]): boolean {
  const keys = new Set(entries.map(({ entry }) => entry.key));
  return keys.size < entries.length || entries.some(({ entry }) => / #\d+$/.test(entry.key));
}
