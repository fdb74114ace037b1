import { BelayError } from "../../../errors.ts";
import { type Compression, decompress } from "../../compression/decompress.ts";
import { withoutEndMarker } from "../../format/copy-text.ts";
import { damaged } from "../../format/damage.ts";
import { wholeInserts } from "../../format/insert-text.ts";
import type { Toc, TocEntry } from "../../format/toc.ts";
import type { ArchivePlace, LargeObject, TocArchive } from "../types.ts";
import { BlockReader, blockTypes } from "./block.ts";
import { Positions } from "./positions.ts";

/** An archive in custom format: one file, `size` bytes long, read by ranges. */
export function openCustom(place: ArchivePlace, size: number, toc: Toc): TocArchive {
  const blocksFrom = (start: number, end = size) =>
    new BlockReader(place.store.read(place.prefix, { offset: start, length: end - start }), {
      start,
      intSize: toc.intSize,
      what: place.url,
    });
  const positions = new Positions(toc, size, blocksFrom);
  // The header says gzip for what is a zlib stream here.
  const compression: Compression = toc.compression === "gzip" ? "zlib" : toc.compression;

  /** Opens an entry's block behind its header. */
  async function blockOf(entry: TocEntry, type: number): Promise<{ blocks: BlockReader; start: number }> {
    const start = await positions.of(entry);
    const blocks = blocksFrom(start, entry.offset?.state === "known" ? positions.end(start) : size);
    const header = await blocks.header();
    if (header?.type === type && header.dumpId === entry.dumpId) return { blocks, start };
    await blocks.close();
    throw damaged(`${place.url} has another block at byte ${start} than that of ${entry.desc} ${entry.tag}`);
  }

  async function* data(entry: TocEntry): AsyncGenerator<Uint8Array> {
    const { blocks, start } = await blockOf(entry, blockTypes.data);
    try {
      const what = `the data of ${entry.namespace}.${entry.tag}`;
      const text = decompress(compression, blocks.stream(), what);
      if (entry.copyStmt === null) yield* wholeInserts(text, what);
      else yield* withoutEndMarker(text, what);
      positions.learn(start, blocks.position);
    } finally {
      await blocks.close();
    }
  }

  async function* largeObjects(entry: TocEntry): AsyncGenerator<LargeObject> {
    const { blocks, start } = await blockOf(entry, blockTypes.largeObjects);
    try {
      for (let oid = await blocks.oid(); oid !== 0; oid = await blocks.oid()) {
        let begun = false;
        const content = async function* () {
          begun = true;
          yield* decompress(compression, blocks.stream(), `large object ${oid}`);
        };
        yield { oid, content: content() };
        if (!begun) await blocks.skipStream();
        else if (blocks.streaming) throw notRead(oid);
      }
      positions.learn(start, blocks.position);
    } finally {
      await blocks.close();
    }
  }

  return {
    format: "custom",
    place,
    toc,
    manifest: null,
    data,
    largeObjects,
    dataBytes: (entry) => positions.bytes(entry),
  };
}

function notRead(oid: number): BelayError {
  return new BelayError("internal", `large object ${oid} was left before its end, and the next one asked for`);
}
