import { entryWords } from "../../catalog/entry-words.ts";
import { byKindAndName } from "../../catalog/order.ts";
import { withoutSecrets } from "../../catalog/secrets.ts";
import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { type ExpectedState, readExpectedState, readStoredTexts } from "./expected-state.ts";
import type { Drift, DriftObject } from "./types.ts";

/** What of the whole database is not as its newest snapshot and the rollbacks since say. `catalog`: as read for snapshots. */
export async function findDrift(session: Session, catalog?: Pick<Catalog, "entries">): Promise<Drift> {
  const expected = await readExpectedState(session, null);
  if (expected === null) return { comparedWith: null, objects: [] };
  const { entries } = catalog ?? (await readSnapshotCatalog(session));
  return driftOf(session, expected, entries, new Set([...expected.entries.keys(), ...entries.map(({ key }) => key)]));
}

/** The same of some objects alone: `entries` are those that are there today. */
export async function findDriftOf(
  session: Session,
  keys: readonly string[],
  entries: readonly Entry[],
): Promise<Drift> {
  const expected = await readExpectedState(session, keys);
  if (expected === null) return { comparedWith: null, objects: [] };
  return driftOf(session, expected, entries, new Set(keys));
}

async function driftOf(
  session: Session,
  { comparedWith, entries: expected }: ExpectedState,
  entries: readonly Entry[],
  keys: ReadonlySet<string>,
): Promise<Drift> {
  const now = new Map(entries.map((entry) => [entry.key, entry]));
  const differing = [...keys].filter((key) => expected.get(key)?.hash !== now.get(key)?.hash);
  const texts = await readStoredTexts(
    session,
    differing.flatMap((key) => expected.get(key)?.id ?? []),
  );
  const objects = differing.map((key) => {
    const [was, is] = [expected.get(key), now.get(key)];
    const { kind, schema, name } = (is ?? was)!;
    const object: DriftObject = {
      key,
      kind,
      what: entryWords({ kind, schema, name }),
      difference: was === undefined ? "added" : is === undefined ? "missing" : "changed",
      before: was === undefined ? null : (texts.get(was.id) ?? null),
      after: is === undefined ? null : withoutSecrets(is),
    };
    return { object, place: { key, kind, schema, name } };
  });
  return { comparedWith, objects: objects.sort((a, b) => byKindAndName(a.place, b.place)).map(({ object }) => object) };
}
