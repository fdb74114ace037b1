import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * An archive as a person names it: a URL stays, a path on this machine becomes a `file://` URL, and all else is an
 * archive's id. A path is what has a slash, begins with a dot, or is there.
 */
export function archivePlace(word: string): string {
  if (word.includes("://")) return isLocal(word) ? followed(fileURLToPath(word)) : word;
  return /[/\\]|^\./.test(word) || existsSync(word) ? followed(resolve(word)) : word;
}

function isLocal(word: string): boolean {
  const url = URL.canParse(word) ? new URL(word) : null;
  return url?.protocol === "file:" && url.hostname === "";
}

/** A store does not follow links out of itself; here a person names the link: latest.dump, say. */
function followed(path: string): string {
  const end = path.endsWith("/") ? "/" : "";
  return pathToFileURL(existsSync(path) ? realpathSync(path) : path).href.replace(/\/*$/, end);
}

/** A store as a person names it: a URL, or a folder on this machine. */
export function storePlace(word: string): string {
  return word.includes("://") ? word : pathToFileURL(resolve(word)).href;
}
