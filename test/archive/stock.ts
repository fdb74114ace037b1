import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type FoundArchive, openFound } from "../../shared/archive/read/open.ts";
import type { OpenedArchive, TocArchive } from "../../shared/archive/read/types.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";

export const stockSamples = resolve(import.meta.dirname, "../../../shared/corpora/archives");

/** Whether archives of several pg_dump majors lie beside the repository. */
export const hasSamples = existsSync(stockSamples);

/** An archive in memory: one file `a`, or files under `a/`. */
export async function inMemory(path: string): Promise<MemoryStore> {
  if ((await stat(path)).isFile()) return memoryStore([["a", await readFile(path)]]);
  const files = await readdir(path);
  return memoryStore(
    await Promise.all(files.map(async (file) => [`a/${file}`, await readFile(join(path, file))] as const)),
  );
}

export function foundIn(store: MemoryStore): FoundArchive {
  const file = store.objects.get("a");
  const place = { store, prefix: file === undefined ? "a/" : "a", url: "memory:a" };
  return file === undefined
    ? { kind: "folder", place, id: null }
    : { kind: "file", place, id: null, bytes: file.length };
}

/** Everything in an archive: data by `schema.table` or as one text, large objects by oid. */
export interface Contents {
  readonly tables: Record<string, string>;
  readonly largeObjects: Record<string, string>;
}

export async function contentsOf(archive: OpenedArchive): Promise<Contents> {
  if (archive.format === "plain") throw new Error("a plain archive has no table of contents");
  const contents: Contents = { tables: {}, largeObjects: {} };
  for (const entry of dataEntries(archive)) {
    if (entry.desc === "BLOBS")
      for await (const { oid, content } of archive.largeObjects(entry))
        contents.largeObjects[oid] = (await gather(content)).toString("hex");
    else contents.tables[`${entry.namespace}.${entry.tag}`] = (await gather(archive.data(entry))).toString();
  }
  return contents;
}

export function dataEntries(archive: TocArchive) {
  return archive.toc.entries.filter(({ hadDumper }) => hadDumper);
}

export async function openIn(store: MemoryStore): Promise<TocArchive> {
  const archive = await openFound(foundIn(store));
  if (archive.format === "plain") throw new Error("it is plain SQL");
  return archive;
}

export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
