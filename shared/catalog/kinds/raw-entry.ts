import type { RawEntry } from "../kind.ts";
import type { Address } from "../types.ts";

/** Oids of system catalogs, the same in every database (src/include/catalog), besides those in relations.ts. */
export const catalog = {
  database: 1262,
  proc: 1255,
  type: 1247,
  class: 1259,
  attribute: 1249,
  userMapping: 1418,
  foreignServer: 1417,
  foreignDataWrapper: 2328,
  accessMethod: 2601,
  cast: 2605,
  constraint: 2606,
  conversion: 2607,
  language: 2612,
  largeObject: 2613,
  namespace: 2615,
  operatorClass: 2616,
  operator: 2617,
  operatorFamily: 2753,
  extension: 3079,
  collation: 3456,
  transform: 3576,
  textSearchDictionary: 3600,
  textSearchParser: 3601,
  textSearchConfiguration: 3602,
  textSearchTemplate: 3764,
  eventTrigger: 3466,
  subscription: 6100,
  publication: 6104,
  publicationRelation: 6106,
  publicationSchema: 6237,
  defaultAcl: 826,
} as const;

export function address(classid: number, objid: number, objsubid = 0): Address {
  return { classid, objid, objsubid };
}

type Required = Pick<RawEntry, "kind" | "name" | "create" | "address">;

/** An entry of the pre-data section, outside schemas, that nobody owns, unless said otherwise. */
export function rawEntry(fields: Required & Partial<RawEntry>): RawEntry {
  return {
    schema: null,
    owner: null,
    section: "pre-data",
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    dependsOn: [],
    ...fields,
  };
}

/** An entry that stands behind its object: comment, grant. */
export function attachedEntry(fields: Required & Partial<RawEntry>, parent: Address): RawEntry {
  return rawEntry({ section: "none", dependsOn: [parent], usesCatalogDependencies: false, ...fields });
}
