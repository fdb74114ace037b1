import type { Session } from "../postgres/session.ts";
import type { Fingerprints } from "./account.ts";
import { AddressSet } from "./address-set.ts";
import type { PlacedEntry } from "./assemble.ts";
import { readDependents } from "./dependents.ts";
import { addressKey, byText } from "./entry.ts";
import { catalog } from "./kinds/raw-entry.ts";
import { readPart } from "./read-part.ts";
import type { ReadEntries } from "./read-whole.ts";
import type { Address, CatalogScope, UnknownObject } from "./types.ts";
import type { WatchedState } from "./watched-state.ts";

type Whole = Pick<Address, "classid" | "objid">;

/** With more than this part of the objects to be read again, all are. */
const largestPart = 0.5;

/**
 * The entries of a state with what changed since read again; null where a whole read is simpler or safer: much changed,
 * a role or tablespace did, or what changed shares its key or may be unknown to the reader.
 */
export async function rereadChanged(
  session: Session,
  scope: CatalogScope,
  last: WatchedState,
  now: Fingerprints,
): Promise<ReadEntries | null> {
  if (now.general !== last.fingerprints.general) return null;
  const { changed, gone } = differences(last.fingerprints, now);
  const most = now.objects.size * largestPart;
  if (hasClassOf(changed, wholeCatalogs) || hasClassOf(gone, wholeCatalogs) || changed.size > most) return null;
  const again = changed.size === 0 ? changed : await readDependents(session, [...changed]);
  if (hasClassOf(again, wholeCatalogs) || again.size > most) return null;
  const part = await readPart(session, scope, { objects: again, exact: true });
  const isOutdated = (object: Whole) => again.has(object) || gone.has(object);
  const [outdated, kept] = partition(last.read.entries, ({ object, owner }) => isOutdated(object) || isOutdated(owner));
  if (shareKeys(last.read.entries, kept, [...outdated, ...part.entries])) return null;
  const unknown = stillUnknown(last.read.unknown, part.unknown, outdated);
  return unknown === null ? null : { entries: [...kept, ...part.entries], unknown };
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

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []];
  for (const one of all) parts[isFirst(one) ? 0 : 1].push(one);
  return parts;
}

/** Whether entries that come or go share their name with others, so that these are to be numbered anew. */
function shareKeys(
  before: readonly PlacedEntry[],
  kept: readonly PlacedEntry[],
  moving: readonly PlacedEntry[],
): boolean {
  const numbered = new Set(before.flatMap(({ entry }) => (numberAtEnd.test(entry.key) ? [unnumbered(entry.key)] : [])));
  const standing = new Set(kept.map(({ entry }) => entry.key));
  return moving.some(
    ({ entry: { key } }) => numbered.has(unnumbered(key)) || numberAtEnd.test(key) || standing.has(key),
  );
}

const numberAtEnd = / #\d+$/;

function unnumbered(key: string): string {
  return key.replace(numberAtEnd, "");
}

/** The unknown objects, none of which changed, with what needs them now; null where there is another. */
function stillUnknown(
  before: readonly UnknownObject[],
  touched: readonly UnknownObject[],
  outdated: readonly PlacedEntry[],
): UnknownObject[] | null {
  const left = new Map(touched.map((object) => [addressKey(object.address), object.neededBy]));
  const gone = new Set(outdated.map(({ entry }) => entry.key));
  const unknown = before.map((object) => {
    const key = addressKey(object.address);
    const added = left.get(key) ?? [];
    left.delete(key);
    return { ...object, neededBy: [...object.neededBy.filter((one) => !gone.has(one)), ...added].sort(byText) };
  });
  return left.size > 0 ? null : unknown;
}
