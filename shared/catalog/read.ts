import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { readPart } from "./read-part.ts";
import { withReadSettings } from "./read-settings.ts";
import { readWhole } from "./read-whole.ts";
import type { Catalog, CatalogScope } from "./types.ts";
import { catalogOf } from "./watched-state.ts";

/**
 * Reads every object of the database as pg_dump would write it, in an order in which all can be created.
 * Inside a transaction it reads that transaction's view and leaves its settings as they were; outside it opens a
 * read-only one. What it cannot write is named in `unknown`, never left out silently.
 */
export async function readCatalog(session: Session, scope: CatalogScope = {}): Promise<Catalog> {
  try {
    return await withReadSettings(session, () => readAll(session, scope));
  } catch (error) {
    throw databaseError(error, { doing: "reading the catalog" });
  }
}

async function readAll(session: Session, scope: CatalogScope): Promise<Catalog> {
  if (scope.only === undefined) return catalogOf(await readWhole(session, scope));
  return catalogOf(await readPart(session, scope, { objects: scope.only, exact: scope.exact ?? false }));
}
