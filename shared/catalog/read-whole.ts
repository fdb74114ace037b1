import type { Session } from "../postgres/session.ts";
import { assembleEntries, type PlacedEntry } from "./assemble.ts";
import { openContext } from "./context.ts";
import { type Edge, readEdges } from "./edges.ts";
import type { KindContext, RawEntry } from "./kind.ts";
import { kindReaders } from "./kinds/index.ts";
import type { CatalogScope, UnknownObject } from "./types.ts";
import { readUnknownObjects } from "./unknown.ts";

/** Entries and unknown objects as they are read, in no order. */
export interface ReadEntries {
  readonly entries: readonly PlacedEntry[];
  readonly unknown: readonly UnknownObject[];
}

/** Reads every entry. */
export async function readWhole(session: Session, scope: CatalogScope): Promise<ReadEntries> {
  const { raw, unknown, edges } = await readKinds(await openContext(session, scope));
  return assembleEntries(raw, unknown, edges);
}

export interface ReadKinds {
  readonly raw: readonly RawEntry[];
  readonly unknown: readonly Omit<UnknownObject, "neededBy">[];
  readonly edges: readonly Edge[];
}

/** Asks all readers at once. */
export async function readKinds(context: KindContext): Promise<ReadKinds> {
  const readers = Object.values(kindReaders);
  const [unknown, edges, ...parts] = await Promise.all([
    readUnknownObjects(context),
    readEdges(context),
    ...readers.map((read) => read(context)),
  ]);
  return { raw: parts.flat(), unknown, edges };
}
