import { newArchiveId } from "../../shared/archive/names.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { chunksOf } from "../store/contract.ts";

export interface FakeArchive {
  readonly id?: string;
  readonly purpose?: Manifest["purpose"];
  readonly at: Date;
  readonly database?: string;
  readonly oid?: number;
  /** Names of its objects besides the manifest. */
  readonly files?: readonly string[];
}

/** An archive as far as a listing looks at it: a manifest and some objects. Returns its id. */
export async function putArchive(store: ObjectStore, archive: FakeArchive): Promise<string> {
  const { purpose = "dump", at, database = "shop", oid = 5, files = ["toc.dat", "1.dat.gz"] } = archive;
  const id = archive.id ?? newArchiveId(purpose, at);
  for (const file of files) await store.write(`archives/${id}/${file}`, chunksOf("0123456789"));
  const manifest: Manifest = {
    format: "belay-archive/1",
    id,
    purpose,
    source: {
      systemIdentifier: "7000000000000000000",
      databaseOid: oid,
      database,
      serverVersion: "17.5",
      serverVersionNum: 170005,
    },
    snapshotAt: at.toISOString(),
    createdBy: "anna",
    reason: "nightly",
    migration: null,
    rollbackId: null,
    tables: [],
    sequences: [],
    largeObjects: [],
    extensions: [],
    roles: [],
    entries: [],
    external: [],
    catalogDigest: "0",
    objects: files.map((file) => ({ file, bytes: 10, sha256: "0".repeat(64) })),
  };
  await store.write(`archives/${id}/manifest.json`, chunksOf(JSON.stringify(manifest)));
  return id;
}

export async function keysIn(store: ObjectStore, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}
