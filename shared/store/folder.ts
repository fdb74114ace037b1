import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isBelayError } from "../errors.ts";
import { codeOf, exists, folderError, isAbsent, isTaken, leadsOut, missing } from "./folder-errors.ts";
import { createFile, fillFile, isInside, publishFile, syncFile, syncFolder } from "./folder-files.ts";
import { readSmallFile, smallObject, writeSmallFile, writeSmallPart } from "./folder-small.ts";
import { checkKey, compareKeys, unfinishedPrefix } from "./keys.ts";
import { peek } from "./peek.ts";
import { requireInside } from "./range.ts";
import type { ObjectStore, StoredObject, WriteOptions } from "./types.ts";

/** How long (ms) a folder that was found inside the store is taken to be there still. */
const insideForMs = 1_000;

/** Files whose bytes are sent to the disk at the same time. */
const syncsAtOnce = 4;

/** A local folder as a store: objects are files, written under a temporary name, synced and then renamed. */
export function createFolderStore(folder: string): ObjectStore {
  const url = pathToFileURL(folder).href;
  const pathOf = (key: string) => join(folder, ...checkKey(key).split("/"));

  /** The key's path, unless symbolic links lead from it out of the folder. */
  async function insideOf(key: string): Promise<string> {
    const path = pathOf(key);
    if (!(await isInside(folder, path))) throw leadsOut(key, url);
    return path;
  }

  const seenInside = new Map<string, number>();

  /** As insideOf, but only the folder is looked at, and not each time: the file itself may not be followed as a link. */
  async function folderInside(key: string): Promise<string> {
    const path = pathOf(key);
    const parent = dirname(path);
    const seen = seenInside.get(parent);
    if (seen !== undefined && performance.now() - seen < insideForMs) return path;
    if (!(await isInside(folder, parent))) throw leadsOut(key, url);
    seenInside.clear();
    seenInside.set(parent, performance.now());
    return path;
  }

  /** Bytes written, or null when they are many, or the folder is not there yet. */
  async function writeSmall(key: string, bytes: Uint8Array | null, options: WriteOptions): Promise<number | null> {
    if (bytes === null || bytes.length > smallObject) return null;
    const path = await folderInside(key);
    const part = options.createOnly === true && options.syncLater === true;
    const done = part ? writeSmallPart(path, bytes) : writeSmallFile(path, bytes, options.createOnly === true);
    return done ? bytes.length : null;
  }

  async function head(key: string): Promise<StoredObject | null> {
    try {
      const found = await stat(await insideOf(key));
      return found.isFile() ? { key, size: found.size, modified: found.mtime } : null;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw told(error, `looking for ${key}`);
    }
  }

  return {
    url,
    head,

    async write(key, chunks, options = {}) {
      const path = pathOf(key);
      const createOnly = options.createOnly === true;
      const source = await peek(chunks);
      const unfinished = join(dirname(path), unfinishedPrefix + randomBytes(8).toString("hex"));
      let atLength = false;
      try {
        // What has to be durable must be so before it has its name.
        let bytes = options.syncLater === true ? await writeSmall(key, source.only, options) : null;
        atLength = bytes === null;
        if (bytes === null) {
          if (createOnly && (await head(key)) !== null) throw exists(key, url);
          await insideOf(key);
          bytes = await fillFile(await createFile(unfinished), source.chunks, options.syncLater !== true);
          await publishFile(unfinished, path, createOnly);
        }
        if (options.syncLater !== true) await syncFolder(dirname(path));
        return bytes;
      } catch (error) {
        if (isTaken(error)) throw exists(key, url);
        throw codeOf(error) === undefined ? error : folderError(error, url, `writing ${key}`);
      } finally {
        if (atLength) await unlink(unfinished).catch(() => {});
      }
    },

    async sync(keys) {
      const waiting = [...keys];
      const work = async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop())
          await syncFile(await folderInside(key)).catch((error) => {
            throw isAbsent(error) ? missing(key!, url, error) : told(error, `syncing ${key}`);
          });
      };
      await Promise.all(Array.from({ length: syncsAtOnce }, work));
      for (const path of new Set(keys.map((key) => dirname(pathOf(key))))) await syncFolder(path);
    },

    async *read(key, range) {
      try {
        const small = range === undefined ? readSmallFile(await folderInside(key)) : null;
        if (small !== null) {
          yield small;
          return;
        }
        const path = await insideOf(key);
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
        if (isAbsent(error) || codeOf(error) === "EISDIR") throw missing(key, url, error);
        throw told(error, `reading ${key}`);
      }
    },

    async *list(prefix) {
      const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      const keys: string[] = [];
      for await (const { key, name } of walk(start))
        if (key.startsWith(prefix) && !name.startsWith(unfinishedPrefix)) keys.push(key);
      for (const key of keys.sort(compareKeys)) {
        const found = await head(key);
        if (found !== null) yield found;
      }
    },

    async *listFolders(prefix) {
      for (const entry of (await entriesOf(prefix)).sort((a, b) => compareKeys(a.name, b.name))) {
        if (!entry.isDirectory()) continue;
        // An empty folder is no object's.
        for await (const { name } of walk(`${prefix}${entry.name}/`)) {
          if (name.startsWith(unfinishedPrefix)) continue;
          yield entry.name;
          break;
        }
      }
    },

    async delete(key) {
      try {
        const path = await insideOf(key);
        await unlink(path).catch((error) => {
          if (!isAbsent(error)) throw error;
        });
        // Also of a file that was never finished: its folder was made for it.
        await removeEmpty(dirname(path));
      } catch (error) {
        if (!isAbsent(error)) throw told(error, `deleting ${key}`);
      }
    },

    async *unfinished(prefix) {
      const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for await (const { key, name } of walk(start)) {
        if (!key.startsWith(prefix) || !name.startsWith(unfinishedPrefix)) continue;
        const found = await stat(join(folder, key)).catch(() => null);
        if (found !== null) yield { key, id: "", active: found.mtime, bytes: found.size };
      }
    },

    async discard({ key }) {
      const name = key.slice(key.lastIndexOf("/") + 1);
      if (!name.startsWith(unfinishedPrefix)) throw missing(key, url, undefined);
      // The key of a temporary file is no object's key, but its folder is checked as one.
      const path = join(dirname(await insideOf(`${key.slice(0, -name.length)}x`)), name);
      try {
        await unlink(path);
        await removeEmpty(dirname(path));
      } catch (error) {
        if (!isAbsent(error)) throw folderError(error, url, `discarding ${key}`);
      }
    },
  };

  /** Folders that hold nothing any more, up to the store's own. */
  async function removeEmpty(path: string): Promise<void> {
    for (let at = path; at !== folder && at.startsWith(folder); at = dirname(at))
      try {
        await rmdir(at);
      } catch {
        return;
      }
  }

  function told(error: unknown, doing: string): unknown {
    return isBelayError(error) ? error : folderError(error, url, doing);
  }

  async function entriesOf(prefix: string) {
    return await readdir(join(folder, prefix), { withFileTypes: true }).catch((error) => {
      if (isAbsent(error)) return [];
      throw folderError(error, url, `listing ${prefix}`);
    });
  }

  /** Files below, temporary ones too; symbolic links are not followed. */
  async function* walk(start: string): AsyncGenerator<{ key: string; name: string }> {
    for (const entry of await entriesOf(start)) {
      if (entry.isDirectory()) yield* walk(`${start}${entry.name}/`);
      else if (entry.isFile()) yield { key: start + entry.name, name: entry.name };
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isFile()) return found.size;
  throw Object.assign(new Error("it is not a file"), { code: "EISDIR", syscall: "read" });
}
