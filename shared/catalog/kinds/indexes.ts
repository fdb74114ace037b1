import type { KindReader, RawEntry } from "../kind.ts";
import type { Address } from "../types.ts";
import { type Index, readIndexes } from "./index-model.ts";
import { cannotAttach, createIndex, indexName } from "./index-text.ts";
import { addressOf, catalogOid } from "./relations.ts";

/** INDEX entries of the indexes that serve no constraint, and INDEX ATTACH entries of all partitions' indexes. */
export const indexes: KindReader = async (context) => {
  const all = await readIndexes(context);
  const entries: RawEntry[] = [];
  for (const index of all.values()) {
    if (index.constraint === null) entries.push(indexEntry(index));
    const parent = index.parent === null ? undefined : all.get(index.parent);
    if (parent !== undefined && !cannotAttach(index)) entries.push(attachEntry(parent, index));
  }
  return entries;
};

function indexEntry(index: Index): RawEntry {
  return {
    kind: "INDEX",
    schema: index.table.schema,
    name: index.name,
    owner: index.table.owner,
    section: "post-data",
    create: createIndex(index),
    // A partition's index goes with its table or with the partitioned index: the server refuses to drop it alone.
    drop: index.parent === null ? `DROP INDEX ${indexName(index)};\n` : "",
    tablespace: index.tablespace,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.class, index.oid),
    dependsOn: [addressOf(catalogOid.class, index.table.oid)],
  };
}

function attachEntry(parent: Index, index: Index): RawEntry {
  return {
    kind: "INDEX ATTACH",
    schema: index.table.schema,
    name: index.name,
    owner: parent.table.owner,
    section: "post-data",
    create: `ALTER INDEX ${indexName(parent)} ATTACH PARTITION ${indexName(index)};\n`,
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    address: attachAddress(index),
    dependsOn: [
      indexAddress(index),
      indexAddress(parent),
      addressOf(catalogOid.class, index.table.oid),
      addressOf(catalogOid.class, parent.table.oid),
    ],
  };
}

/** The entry that creates an index: its constraint's, or its own. */
function indexAddress(index: Index): Address {
  return index.constraint === null
    ? addressOf(catalogOid.class, index.oid)
    : addressOf(catalogOid.constraint, index.constraint.oid);
}

/** pg_inherits has no oids, so the attached index's stands for the attachment. */
export function attachAddress(index: Pick<Index, "oid">): Address {
  return addressOf(catalogOid.inherits, index.oid);
}
