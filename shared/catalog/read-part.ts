import type { Session } from "../postgres/session.ts";
import type { AddressSet } from "./address-set.ts";
import { assembleEntries, type PlacedEntry } from "./assemble.ts";
import { type CatalogPart, openPart } from "./context.ts";
import { namedAfterTable } from "./entry-words.ts";
import type { RawEntry } from "./kind.ts";
import { type ReadEntries, readKinds, readWhole } from "./read-whole.ts";
import type { CatalogScope, UnknownObject } from "./types.ts";

/** What a read of a part answers: the entries of exactly these objects. */
export interface PartEntries extends ReadEntries {
  readonly answer: AddressSet;
}

/** Reads the entries of some objects, equal to those of a whole read; where keys could run together it reads all. */
export async function readPart(session: Session, scope: CatalogScope, part: CatalogPart): Promise<PartEntries> {
  const context = await openPart(session, scope, part);
  const { answer, objects } = context.reach!;
  const { raw, unknown, edges } = await readKinds(context);
  if (await mayRunTogether(session, raw)) {
    const whole = await readWhole(session, scope);
    const entries = whole.entries.filter(({ object }) => answer.has(object));
    return { entries, unknown: unknownOf(whole.unknown, entries, answer), answer };
  }
  const touched = unknown.filter(({ address }) => objects.has(address));
  const read = assembleEntries(raw, touched, edges, (object) => answer.has(object));
  return { entries: read.entries, unknown: unknownOf(read.unknown, read.entries, answer), answer };
}

/** Those among the objects asked for, and those without which an entry that was asked for cannot be created. */
function unknownOf(
  unknown: readonly UnknownObject[],
  entries: readonly PlacedEntry[],
  answer: AddressSet,
): UnknownObject[] {
  const answered = new Set(entries.map(({ entry }) => entry.key));
  return unknown.flatMap((object) => {
    const neededBy = object.neededBy.filter((key) => answered.has(key));
    return neededBy.length > 0 || answer.has(object.address) ? [{ ...object, neededBy }] : [];
  });
}

/** Operators and their classes are named without their types, and are told apart by number among all of that name. */
const numbered: ReadonlySet<string> = new Set(["OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY"]);

/** Names of two parts with one space can be read in one way only. */
const twoNames: ReadonlySet<string> = new Set([
  ...namedAfterTable,
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
]);

async function mayRunTogether(session: Session, raw: readonly RawEntry[]): Promise<boolean> {
  if (raw.some(({ kind }) => numbered.has(kind))) return true;
  const doubtful = raw.some(
    ({ kind, name }) =>
      (twoNames.has(kind) && name.split(" ").length > 2) || (kind === "USER MAPPING" && name.split(" ").length > 5),
  );
  if (!doubtful) return false;
  const [row] = await session.sql<{ spaced: boolean }[]>`
    select exists (select from pg_catalog.pg_class where relname like '% %' and relkind not in ('i', 'I', 't', 'S'))
      or exists (select from pg_catalog.pg_type where typtype = 'd' and typname like '% %')
      or exists (select from pg_catalog.pg_publication where pubname like '% %')
      or exists (select from pg_catalog.pg_roles where rolname like '% %') as spaced`;
  return row!.spaced;
}
