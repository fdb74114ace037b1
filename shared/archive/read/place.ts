import { basename, dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BelayError, isBelayError } from "../../errors.ts";
import { openStore, type StoreCredentials } from "../../store/open.ts";
import type { ArchivePlace } from "./types.ts";

/** Whether the text is a place (`file:///...`, `s3://...`) and not an archive's id. */
export function isPlace(archiveOrUrl: string): boolean {
  return archiveOrUrl.includes("://");
}

/**
 * Where a URL leads: the place's prefix has no slash at its end yet, because only looking there tells a file from a
 * folder. Nothing is created. Throws `usage` for a URL that is wrong.
 */
export function placeAt(url: string, credentials: Partial<StoreCredentials> | null): ArchivePlace {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === "file:") {
    const path = pathOf(url);
    const name = basename(path);
    return { store: openStore(pathToFileURL(dirname(path)).href), prefix: name, url: pathToFileURL(path).href };
  }
  if (parsed?.protocol !== "s3:")
    throw new BelayError("usage", `${withoutSecrets(url)} is not an s3:// or file:// URL`, {
      hint: "Use file:///path, s3://bucket/key?endpoint=...&region=..., or an archive's id.",
    });
  const prefix = decodePath(parsed.pathname).replace(/^\/+|\/+$/g, "");
  if (prefix === "")
    throw new BelayError("usage", `${withoutSecrets(url)} names a bucket, but no archive in it`, {
      hint: "Put the archive's key behind the bucket; `belay archives list URL` lists the archives of a store.",
    });
  parsed.pathname = "/";
  const store = openStore(parsed.href, credentials);
  return { store, prefix, url: store.url.replace(/^(s3:\/\/[^/]+\/)/, (start) => start + prefix) };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url).replace(/(.)\/+$/, "$1");
  } catch (error) {
    throw new BelayError("usage", `${url} is not a path on this machine: ${(error as Error).message}`, {
      hint: "Write it as file:///absolute/path.",
      cause: error,
    });
  }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new BelayError("usage", `${path} is not a valid path of a URL`, {
      hint: "Write % in a key as %25.",
      cause: error,
    });
  }
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");
}

/** Whether the place is a folder on this machine; of other stores nobody can tell. */
export async function isFolder(place: ArchivePlace): Promise<boolean> {
  try {
    for await (const _ of place.store.read(place.prefix.replace(/\/$/, ""))) return false;
  } catch (error) {
    const cause = isBelayError(error) ? (error.cause as { code?: unknown } | undefined) : undefined;
    return cause?.code === "EISDIR";
  }
  return false;
}
