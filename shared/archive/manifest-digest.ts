import type { ObjectStore } from "../store/types.ts";
import { collect, sha256 } from "./digesting.ts";
import { archiveKey, largestManifest, manifestFile } from "./names.ts";
import type { Manifest } from "./types.ts";

/** manifest.json as it is written. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** sha256 (hex) of manifest.json as it was written: what a store gives at another read may not be that. */
export function manifestSha256(manifest: Manifest): string {
  return sha256(manifestBytes(manifest));
}

/** sha256 (hex) of manifest.json as the store gives it now. Throws the store's errors. */
export async function storedManifestSha256(store: ObjectStore, id: string): Promise<string> {
  return sha256(await collect(store.read(archiveKey(id, manifestFile)), largestManifest));
}
