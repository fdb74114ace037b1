import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { BelayError, isBelayError } from "../errors.ts";
import { checkKey, compareKeys, unfinishedPrefix } from "./keys.ts";
import { requireInside } from "./range.ts";
import type { ObjectStore, StoredObject } from "./types.ts";

/** A local folder as a store: objects are files, written under a temporary name, synced and then renamed. */
export function createFolderStore(folder: string): ObjectStore {
  const url = pathToFileURL(folder).href;
  const pathOf = (key: string) => join(folder, ...checkKey(key).split("/"));

  async function head(key: string): Promise<StoredObject | null> {
    try {
      const found = await stat(pathOf(key));
      return found.isFile() ? { key, size: found.size, modified: found.mtime } : null;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw folderError(error, url, `looking for ${key}`);
    }
  }

  return {
    url,
    head,

    async write(key, chunks, options = {}) {
      const path = pathOf(key);
      if (options.createOnly && (await head(key)) !== null) throw exists(key, url);
      const unfinished = join(dirname(path), unfinishedPrefix + randomBytes(8).toString("hex"));
      try {
        await makeFolder(dirname(path));
        const bytes = await writeAll(unfinished, chunks);
        // A link fails when the name is taken; a rename would silently replace it.
        if (options.createOnly) await link(unfinished, path);
        else await rename(unfinished, path);
        await syncFolder(dirname(path));
        return bytes;
      } catch (error) {
        if (isTaken(error)) throw exists(key, url);
        throw codeOf(error) === undefined ? error : folderError(error, url, `writing ${key}`);
      } finally {
        await unlink(unfinished).catch(() => {});
      }
    },

    async *read(key, range) {
      try {
        const path = pathOf(key);
        let bounds = {};
        if (range !== undefined) {
          const { start, end } = requireInside(key, range, await sizeOf(path));
          if (start === end) return;
          // createReadStream counts its end in.
          bounds = { start, end: end - 1 };
        }
        const stream = createReadStream(path, { highWaterMark: 256 * 1024, ...bounds });
        for await (const chunk of stream) yield chunk as Uint8Array;
      } catch (error) {
        if (isBelayError(error)) throw error;
        if (isAbsent(error) || codeOf(error) === "EISDIR") throw missing(key, url, error);
        throw folderError(error, url, `reading ${key}`);
      }
    },

    async *list(prefix) {
      const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      const keys: string[] = [];
      for await (const key of walk(folder, start)) if (key.startsWith(prefix)) keys.push(key);
      for (const key of keys.sort(compareKeys)) {
        const found = await head(key);
        if (found !== null) yield found;
      }
    },

    async delete(key) {
      await unlink(pathOf(key)).catch((error) => {
        if (!isAbsent(error)) throw folderError(error, url, `deleting ${key}`);
      });
    },
  };

  async function* walk(root: string, start: string): AsyncGenerator<string> {
    const entries = await readdir(join(root, start), { withFileTypes: true }).catch((error) => {
      if (isAbsent(error)) return [];
      throw folderError(error, url, `listing ${start}`);
    });
    for (const entry of entries) {
      if (entry.isDirectory()) yield* walk(root, `${start}${entry.name}/`);
      else if (entry.isFile() && !entry.name.startsWith(unfinishedPrefix)) yield start + entry.name;
    }
  }
}

/** Not `mkdir(recursive)`: under /proc it never returns (Node.js 24), and a rollback would wait for it with its locks. */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isThere(at)) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const folder of missing)
    await mkdir(folder).catch(async (error) => {
      if (codeOf(error) !== "EEXIST" || !(await isThere(folder))) throw error;
    });
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

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  throw Object.assign(new Error("it is not a file"), { code: "EISDIR", syscall: "read" });
}

async function writeAll(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, "wx");
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length; ) {
        offset += (await file.write(chunk, offset)).bytesWritten;
      }
      bytes += chunk.length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Without it a crash could lose the name of a file whose bytes are safe. Not every file system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown; syscall?: unknown } | null)?.code;
  return typeof code === "string" && (error as { syscall?: unknown }).syscall !== undefined ? code : undefined;
}

function isTaken(error: unknown): boolean {
  return codeOf(error) === "EEXIST" && (error as { syscall?: unknown }).syscall === "link";
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

function exists(key: string, url: string): BelayError {
  return new BelayError("store_exists", `${key} is already in ${url}`, {
    hint: "Objects are never overwritten: use another id.",
  });
}

function missing(key: string, url: string, cause: unknown): BelayError {
  return new BelayError("store_missing_object", `${key} is not in ${url}`, {
    hint: "List what is there with `belay archives`.",
    cause,
  });
}

function folderError(error: unknown, url: string, doing: string): BelayError {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new BelayError("store_denied", `${url} refused ${doing} (${code})`, {
      hint: "Give this user read and write access to the folder.",
      cause: error,
    });
  return new BelayError("store_failed", `${url} failed ${doing} (${code ?? String(error)})`, {
    hint: hints[code ?? ""] ?? "Check the folder.",
    cause: error,
  });
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: make room and run the same command again.",
  EDQUOT: "The disk quota is used up: make room and run the same command again.",
  ENOTDIR: "A part of the path is a file: name a folder in BELAY_STORE or --store.",
  EEXIST: "A part of the path is a file: name a folder in BELAY_STORE or --store.",
  ENOENT: "No folder can be made there: name another one in BELAY_STORE or --store.",
};
