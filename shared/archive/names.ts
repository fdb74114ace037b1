import { BelayError } from "../errors.ts";
import { archivesPrefix } from "./types.ts";

export const manifestFile = "manifest.json";
/** Bytes beyond which a manifest is not one. */
export const largestManifest = 256 * 1024 * 1024;
export const tocFile = "toc.dat";
export const readmeFile = "README.txt";
/** Beside the archive of a rollback, written once it has ended: JSON, Markdown. */
export const incidentFiles = ["incident.json", "incident.md"] as const;
/** The proof of the rollback that wrote the archive; written after its COMMIT, so not in the manifest. */
export const receiptFile = "receipt.json";

/** The store key of one of an archive's objects; throws `unknown_archive` for what cannot be an archive's id. */
export function archiveKey(id: string, file: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/.test(id) || id.includes(".."))
    throw new BelayError("unknown_archive", `${JSON.stringify(id)} is not an archive's id`, {
      hint: "List the archives with `belay archives`.",
    });
  return `${archivesPrefix}${id}/${file}`;
}

/** A new id that sorts by time: what it is for, when, and a random tail. */
export function newArchiveId(purpose: string, at: Date): string {
  const moment = at.toISOString().replaceAll(/[-:]/g, "").replace(/\..*$/, "z").toLowerCase();
  const tail = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, "0");
  return `${purpose}-${moment}-${tail}`;
}
