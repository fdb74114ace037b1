import { type FileHandle, link, mkdir, open, realpath, rename, stat } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { codeOf, isAbsent } from "./folder-errors.ts";

/** Not `mkdir(recursive)`: under /proc it never returns (Node.js 24), and a rollback would wait for it with its locks. */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const folder of missing)
    await mkdir(folder).catch(async (error) => {
      if (codeOf(error) !== "EEXIST" || !(await isThere(folder))) throw error;
    });
  // The names of new folders have to survive a crash as much as the files in them.
  if (missing[0] !== undefined) for (const folder of new Set(missing.map(dirname))) await syncFolder(folder);
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error) => {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    },
  );
}

/** Opens a new file in a folder that is made when it is not there. */
export async function createFile(path: string): Promise<FileHandle> {
  for (let left = 3; ; left -= 1) {
    try {
      await makeFolder(dirname(path));
      return await open(path, "wx");
    } catch (error) {
      // Whoever deletes the last file of a folder removes the folder too.
      if (codeOf(error) !== "ENOENT" || left <= 0) throw error;
    }
  }
}

/** Writes and closes a file; with `sync` its bytes are on the disk before it returns. Returns their number. */
export async function fillFile(file: FileHandle, chunks: AsyncIterable<Uint8Array>, sync: boolean): Promise<number> {
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length; ) {
        offset += (await file.write(chunk, offset)).bytesWritten;
      }
      bytes += chunk.length;
    }
    if (sync) await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Gives a finished file its name. With `createOnly` a taken name is EEXIST of `link`. */
export async function publishFile(unfinished: string, path: string, createOnly: boolean): Promise<void> {
  if (!createOnly) return await rename(unfinished, path);
  try {
    // A link fails when the name is taken; a rename would silently replace it.
    await link(unfinished, path);
  } catch (error) {
    // Some file systems know no links: whoever looked first is all there is.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
    await rename(unfinished, path);
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without it a crash could lose the name of a file whose bytes are safe. Not every file system can. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** False when symbolic links lead from `path`, or from the nearest folder above it that is there, out of `root`. */
export async function isInside(root: string, path: string): Promise<boolean> {
  // In this order: the folders may be made meanwhile, and what is longer then is still inside what was seen before.
  const base = await realOrAbove(root);
  const real = await realOrAbove(path);
  return real === base || real.startsWith(base.endsWith(sep) ? base : base + sep);
}

async function realOrAbove(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await realpath(at);
    } catch (error) {
      if (!isAbsent(error) || dirname(at) === at) throw error;
    }
  }
}
