import type { Session } from "../postgres/session.ts";
import { readCatalog } from "./read.ts";
import type { Catalog, CatalogScope } from "./types.ts";

/** Reads one database's catalog again and again while its objects change. */
export interface CatalogWatch {
  /** The catalog as this session sees it now, uncommitted changes included: equal to what readCatalog gives. */
  read(): Promise<Catalog>;
}

/** Watches the catalog through a session that stays open. */
export function watchCatalog(session: Session, scope: CatalogScope = {}): CatalogWatch {
  return { read: () => readCatalog(session, scope) };
}
