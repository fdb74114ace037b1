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
    report?.({
      phase: "verify",
      message: `reading ${describeEntry(entry)}`,
      done: index,
      total: withData.length,
      unit: "tables",
    });
    problems.push(
      ...(await found(describeEntry(entry), async () => {
        if (entry.desc === "BLOBS")
          return await readLargeObjects(archive, entry, largeObjects, (bytes) => {
            count.bytes += bytes;
          });
        const read = await checkData(archive, entry);
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

async function checkData(archive: TocArchive, entry: TocEntry) {
  const what = `the data of ${entry.namespace}.${entry.tag}`;
  if (entry.copyStmt !== null)
    return await checkRowsOf(entry.copyStmt, archive.data(entry), { encoding: archive.toc.encoding, what });
  let bytes = 0;
  for await (const chunk of archive.data(entry)) bytes += chunk.length;
  return { rows: 0, bytes, problems: [] };
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
