import type { Progress } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { TocEntry } from "../format/toc.ts";
import { OidSet } from "../oid-set.ts";
import type { TocArchive } from "../read/types.ts";
import { checkRowsOf } from "./copy-rows.ts";
import { largeObjectProblems, readLargeObjects } from "./large-objects.ts";
import { describeEntry, tocProblems } from "./toc-problems.ts";
import type { ArchiveContents } from "./types.ts";
import { unusedFiles } from "./unused-files.ts";

/** Bytes of a table between two words on how far it is. */
const saidEach = 32_000_000;

/** Reads and decodes everything in a stock archive, with memory flat; damage in one table does not hide another's. */
export async function verifyStock(
  archive: TocArchive,
  report?: (progress: Progress) => void,
): Promise<ArchiveContents> {
  const problems = tocProblems(archive.toc);
  const count = { tables: 0, rows: 0, bytes: 0 };
  const largeObjects = new OidSet();
  const withData = archive.toc.entries.filter(({ hadDumper }) => hadDumper);
  for (const [index, entry] of withData.entries()) {
    const say = (bytes: number) => {
      const sofar = bytes === 0 ? "" : ` (${Math.round(bytes / 1e6)} MB)`;
      const message = `reading ${describeEntry(entry)}${sofar}`;
      report?.({ phase: "verify", message, done: index, total: withData.length, unit: "tables" });
    };
    say(0);
    problems.push(
      ...(await found(describeEntry(entry), async () => {
        if (entry.desc === "BLOBS")
          return await readLargeObjects(archive, entry, largeObjects, (bytes) => {
            count.bytes += bytes;
          });
        const read = await checkData(archive, entry, say);
        count.tables += 1;
        count.rows += read.rows;
        count.bytes += read.bytes;
        return read.problems;
      })),
    );
  }
  if (problems.length === 0) problems.push(...largeObjectProblems(archive.toc, largeObjects));
  return { problems, notes: await unusedFiles(archive), largeObjects: largeObjects.size, ...count };
}

async function checkData(archive: TocArchive, entry: TocEntry, say: (bytes: number) => void) {
  const data = heard(archive.data(entry), say);
  const what = `the data of ${entry.namespace}.${entry.tag}`;
  if (entry.copyStmt !== null) return await checkRowsOf(entry.copyStmt, data, { encoding: archive.toc.encoding, what });
  let bytes = 0;
  for await (const chunk of data) bytes += chunk.length;
  return { rows: 0, bytes, problems: [] };
}

/** Passes bytes on and says now and then how many they were: a table can take minutes. */
async function* heard(chunks: AsyncIterable<Uint8Array>, say: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let next = saidEach;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes >= next) {
      say(bytes);
      next = bytes + saidEach;
    }
    yield chunk;
  }
}

async function found(where: string, check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await check();
  } catch (error) {
    if (isBelayError(error, "archive_invalid") || isBelayError(error, "store_missing_object"))
      return [`${where}: ${error.message}`];
    throw error;
  }
}
