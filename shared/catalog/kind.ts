import type { Session } from "../postgres/session.ts";
import type { Address, Entry } from "./types.ts";

/** What every kind reader works with. Reads run in one REPEATABLE READ or locked transaction with an empty search_path. */
export interface KindContext {
  readonly session: Session;
  /** `server_version_num`, for example 150018. */
  readonly serverVersion: number;
  /** Schemas left out, besides pg_catalog, information_schema and pg_toast and temporary schemas. */
  readonly excludeSchemas: readonly string[];
  /** Oids of the schemas whose objects are read; members of extensions are left out by each reader. */
  readonly schemaOids: readonly number[];
}

/** An entry before keys, dependencies by key, and hash are settled by readCatalog. */
export interface RawEntry extends Omit<Entry, "key" | "hash" | "dependencies"> {
  /** Objects that must exist first, besides what pg_depend says of `address`. */
  readonly dependsOn: readonly Address[];
  /** False: pg_depend is not asked for this entry's dependencies (comments, grants, data). Default true. */
  readonly usesCatalogDependencies?: boolean;
}

/** One file per kind of object exports one of these. */
export type KindReader = (context: KindContext) => Promise<RawEntry[]>;
