import type { Session } from "../postgres/session.ts";
import type { Reach } from "./reach.ts";
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
  /** What is read, where only a part of the catalog is; null for the whole. */
  readonly reach: Reach | null;
  /** Whether large objects are read: there may be millions of them. */
  readonly largeObjects: boolean;
  /** Which of the rarer catalogs hold objects that are no extension's: readers of the others have nothing to ask. */
  readonly inUse: ReadonlySet<RareCatalog>;
  /** pg_type.typtype of the types there are, row types of tables and arrays aside. */
  readonly typeKinds: ReadonlySet<TypeKind>;
  /** Oids of the system catalogs with objects that have comments, those made by initdb aside. */
  readonly commented: ReadonlySet<number>;
  /** Whether there are foreign servers, extensions' ones included. */
  readonly hasServers: boolean;
  /** Whether there are security labels. */
  readonly hasLabels: boolean;
}

/** System catalogs with nothing but the server's and extensions' own objects, in most databases. */
export const rareCatalogs = [
  ...(["pg_am", "pg_cast", "pg_collation", "pg_conversion", "pg_default_acl", "pg_event_trigger"] as const),
  ...(["pg_foreign_data_wrapper", "pg_foreign_server", "pg_language", "pg_opclass", "pg_operator"] as const),
  ...(["pg_opfamily", "pg_policy", "pg_publication", "pg_statistic_ext", "pg_subscription"] as const),
  ...(["pg_transform", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template"] as const),
] as const;
export type RareCatalog = (typeof rareCatalogs)[number];

/** Their oids, the same in every database (src/include/catalog). */
export const rareCatalogOids: Readonly<Record<RareCatalog, number>> = {
  pg_am: 2601,
  pg_cast: 2605,
  pg_collation: 3456,
  pg_conversion: 2607,
  pg_default_acl: 826,
  pg_event_trigger: 3466,
  pg_foreign_data_wrapper: 2328,
  pg_foreign_server: 1417,
  pg_language: 2612,
  pg_opclass: 2616,
  pg_operator: 2617,
  pg_opfamily: 2753,
  pg_policy: 3256,
  pg_publication: 6104,
  pg_statistic_ext: 3381,
  pg_subscription: 6100,
  pg_transform: 3576,
  pg_ts_config: 3602,
  pg_ts_dict: 3600,
  pg_ts_parser: 3601,
  pg_ts_template: 3764,
};

/** b base, c composite, d domain, e enum, m multirange, p pseudo-type or only announced, r range. */
export type TypeKind = "b" | "c" | "d" | "e" | "m" | "p" | "r";

/** An entry before keys, dependencies by key, and hash are settled by readCatalog. */
export interface RawEntry extends Omit<Entry, "key" | "hash" | "dependencies"> {
  /** Objects that must exist first, besides what pg_depend says of `address`. */
  readonly dependsOn: readonly Address[];
  /** False: pg_depend is not asked for this entry's dependencies (comments, grants, data). Default true. */
  readonly usesCatalogDependencies?: boolean;
}

/** One file per kind of object exports one of these. */
export type KindReader = (context: KindContext) => Promise<RawEntry[]>;
