import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * An archive as a person names it: a URL stays, a path on this machine becomes a `file://` URL, and all else is an
 * archive's id. A path is what has a slash, begins with a dot, or is there.
 */
export function archivePlace(word: string): string {
  if (word.includes("://")) return word;
  return /[/\\]|^\./.test(word) || existsSync(word) ? pathToFileURL(resolve(word)).href : word;
}

/** A store as a person names it: a URL, or a folder on this machine. */
export function storePlace(word: string): string {
  return word.includes("://") ? word : pathToFileURL(resolve(word)).href;
}
