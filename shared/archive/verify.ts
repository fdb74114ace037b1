import { BelayError, isBelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";
import { readManifest } from "./list.ts";
import { archiveKey } from "./names.ts";
import type { Manifest } from "./types.ts";
import { verifyObjects } from "./verify/objects.ts";

export interface Verification {
  readonly archiveId: string;
  /** null when it cannot be read. */
  readonly manifest: Manifest | null;
  /** Each names the object and what is wrong with it; empty when every byte is as it was written. */
  readonly problems: string[];
}

/** Reads, hashes and decodes every byte of an archive. Throws only when there is no such archive or the store fails. */
export async function verifyArchive(store: ObjectStore, id: string): Promise<Verification> {
  let manifest: Manifest;
  try {
    manifest = await readManifest(store, id);
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    return { archiveId: id, manifest: null, problems: [error.message] };
  }
  const problems = await verifyObjects({ store, prefix: archiveKey(id, "") }, manifest);
  return { archiveId: id, manifest, problems };
}

/** As verifyArchive, but a problem is an error: throws `archive_invalid` naming each. */
export async function requireVerified(store: ObjectStore, id: string): Promise<Manifest> {
  const { manifest, problems } = await verifyArchive(store, id);
  if (manifest !== null && problems.length === 0) return manifest;
  throw new BelayError("archive_invalid", `the archive ${id} is damaged: ${problems.join("; ")}`, {
    hint: "Use another archive; list them with `belay archives`.",
    details: { archive: id, problems },
  });
}
