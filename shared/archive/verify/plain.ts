import type { Progress } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { PlainArchive } from "../read/types.ts";
import { checkRowsOf } from "./copy-rows.ts";
import type { ArchiveContents } from "./types.ts";

/** pg_dump's first and last words in a script. */
const beginning = "-- PostgreSQL database dump";
const ending = "-- PostgreSQL database dump complete";

/** Reads a whole script: its statements end, its COPY data ends and has the columns of the first row. */
export async function verifyPlain(
  archive: PlainArchive,
  report?: (progress: Progress) => void,
): Promise<ArchiveContents> {
  const problems: string[] = [];
  const count = { tables: 0, rows: 0, bytes: 0 };
  const seen = { beginning: false, ending: false };
  const onBytes = (stored: number) =>
    report?.({
      phase: "verify",
      message: "reading the script",
      done: stored,
      unit: "bytes",
      ...(archive.bytes === null ? {} : { total: archive.bytes }),
    });
  try {
    for await (const part of archive.parts({ onBytes })) {
      if (part.kind === "comment") {
        seen.beginning ||= part.text === beginning;
        seen.ending ||= part.text === ending;
      } else if (part.kind === "statement") count.rows += part.valueRows;
      else if (part.kind === "copy") {
        const what = `the rows of COPY at line ${part.line}`;
        const read = await checkRowsOf(part.statement, part.rows, { encoding: part.encoding, what });
        problems.push(...read.problems);
        count.tables += 1;
        count.rows += read.rows;
        count.bytes += read.bytes;
      }
    }
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    problems.push(error.message);
  }
  const cut = seen.beginning && !seen.ending && problems.length === 0;
  if (cut) problems.push(`the script does not end with pg_dump's words "${ending.slice(3)}": it was cut`);
  const notes = seen.beginning ? [] : ["the script was not written by pg_dump: nothing in it says that it is whole"];
  return { problems, notes, largeObjects: 0, ...count };
}
