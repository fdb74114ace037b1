import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "./folder-errors.ts";
import { unfinishedPrefix } from "./keys.ts";

/**
 * Objects up to this size (bytes) are written and read in one go, on the caller's thread: of thousands of small tables
 * the handing over to other threads costs many times the work.
 */
export const smallObject = 64 * 1024;

/**
 * Writes a file under a temporary name and gives it its own. False when it has to be done at length: the folder is not
 * there, or the file system has no links. A taken name is EEXIST of `link`.
 */
export function writeSmallFile(path: string, bytes: Uint8Array, createOnly: boolean): boolean {
  const unfinished = join(dirname(path), unfinishedPrefix + randomBytes(8).toString("hex"));
  let file: number;
  try {
    file = openSync(unfinished, "wx");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  try {
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    } finally {
      closeSync(file);
    }
    if (createOnly) linkSync(unfinished, path);
    else renameSync(unfinished, path);
    if (createOnly) unlinkQuietly(unfinished);
    return true;
  } catch (error) {
    unlinkQuietly(unfinished);
    if (createOnly && ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) return false;
    throw error;
  }
}

/** The bytes of a small file; null for a large one, for a symbolic link and for what is no file. */
export function readSmallFile(path: string): Uint8Array | null {
  const file = openUnlinked(path);
  if (file === null) return null;
  try {
    const found = fstatSync(file);
    if (!found.isFile() || found.size > smallObject) return null;
    const bytes = Buffer.allocUnsafe(found.size);
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(file, bytes, filled, bytes.length - filled, null);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

/**
 * As writeSmallFile, but under its own name from the beginning: for the parts of something that is published later,
 * which a crash may leave behind as it is. A taken name is EEXIST of `open`.
 */
export function writeSmallPart(path: string, bytes: Uint8Array): boolean {
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  let whole = false;
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    whole = true;
    return true;
  } finally {
    closeSync(file);
    if (!whole) unlinkQuietly(path);
  }
}

function openUnlinked(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (codeOf(error) === "ELOOP" || codeOf(error) === "EMLINK") return null;
    throw error;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or somebody was faster.
  }
}
