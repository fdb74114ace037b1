import { BelayError } from "../errors.ts";

/** Names of unfinished files in a folder store begin so; no key may hold a part that does. */
export const unfinishedPrefix = ".belay-unfinished-";

/** Refuses keys that could leave the store's prefix or that some store cannot hold; returns the key. */
export function checkKey(key: string): string {
  const parts = key.split("/");
  const bad = parts.some((part) => part === "" || part === "." || part === ".." || part.startsWith(unfinishedPrefix));
  if (bad || key.length > 900 || hasControlOrBackslash(key)) {
    throw new BelayError("store_failed", `the store key ${JSON.stringify(key)} is not valid`, {
      hint: "Keys are names with / between the parts, without '..', backslashes or control characters.",
    });
  }
  return key;
}

function hasControlOrBackslash(key: string): boolean {
  for (const character of key) {
    const code = character.codePointAt(0)!;
    if (code < 0x20 || code === 0x7f || character === "\\") return true;
  }
  return false;
}

/** Byte order of UTF-8, the order in which S3 lists. */
export function compareKeys(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
