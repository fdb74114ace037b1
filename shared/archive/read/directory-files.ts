import type { Compression } from "../compression/decompress.ts";
import { damaged } from "../format/damage.ts";
import type { Manifest } from "../types.ts";
import type { ArchivePlace } from "./types.ts";

/** Suffixes in the order in which pg_restore tries them behind the name that the table of contents gives. */
const suffixes: readonly (readonly [suffix: string, compression: Compression])[] = [
  ["", "none"],
  [".gz", "gzip"],
  [".lz4", "lz4"],
  [".zst", "zstd"],
];

/** A data file of an archive, as it is stored. */
export interface DataFile {
  readonly name: string;
  readonly compression: Compression;
  readonly bytes: number;
}

export interface DirectoryFiles {
  /** The file for a stored name, with or without a suffix; null when there is none. */
  find(name: string): Promise<DataFile | null>;
  /** As `find`, of those that were listed: data files, not each large object. */
  listed(name: string): DataFile | null;
  /** Stored bytes of all large objects together. */
  readonly largeObjectBytes: number;
}

const isLargeObject = (name: string) => /^blob_\d+\.dat/.test(name);

/** The files of an archive as its manifest has them: nothing needs to be listed. */
export function filesOfManifest(manifest: Manifest): DirectoryFiles {
  const sizes = new Map(manifest.objects.map(({ file, bytes }) => [file, bytes]));
  const listed = (name: string) => among(sizes, name);
  return { listed, find: async (name) => listed(name), largeObjectBytes: sumOf(sizes) };
}

function sumOf(sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, bytes] of sizes) if (isLargeObject(name)) sum += bytes;
  return sum;
}

/** Lists a folder or prefix. Large objects can be millions: they are looked for when their turn comes. */
export async function listFiles(place: ArchivePlace): Promise<DirectoryFiles> {
  const sizes = new Map<string, number>();
  let largeObjectBytes = 0;
  for await (const { key, size } of place.store.list(place.prefix)) {
    const name = key.slice(place.prefix.length);
    if (isLargeObject(name)) largeObjectBytes += size;
    else sizes.set(name, size);
  }
  // The next large object very likely has the suffix of the one before.
  let likely = suffixes;
  const listed = (name: string) => among(sizes, name);
  return {
    largeObjectBytes,
    listed,
    find: async (name) => {
      if (!isLargeObject(name)) return listed(name);
      for (const one of suffixed(name) === null ? likely : ([["", suffixed(name)!]] as const)) {
        const [suffix, compression] = one;
        const found = await place.store.head(place.prefix + name + suffix);
        if (found === null) continue;
        likely = [one, ...suffixes.filter((other) => other[0] !== suffix)];
        return { name: name + suffix, compression, bytes: found.size };
      }
      return null;
    },
  };
}

function among(sizes: ReadonlyMap<string, number>, name: string): DataFile | null {
  const own = suffixed(name);
  for (const [suffix, compression] of own === null ? suffixes : ([["", own]] as const)) {
    const bytes = sizes.get(name + suffix);
    if (bytes !== undefined) return { name: name + suffix, compression, bytes };
  }
  return null;
}

/** The compression that a name already says by its suffix. */
function suffixed(name: string): Compression | null {
  return suffixes.find(([suffix]) => suffix !== "" && name.endsWith(suffix))?.[1] ?? null;
}

export function missingFile(name: string, place: ArchivePlace, ofWhat: string) {
  return damaged(
    `${name}, ${ofWhat}, is not in ${place.url}`,
    "The archive is not whole. Copy all of its files again, or use another one.",
  );
}
