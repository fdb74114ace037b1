import { Buffer } from "node:buffer";
import type { EncodedSql, ScriptPart } from "../types.ts";
import { copyRows, startsOnNextLine } from "./copy-rows.ts";
import { readCopyStatement } from "./copy-statement.ts";
import { decodeStatement } from "./decode.ts";
import { isReadable, isUtf8Name } from "./encodings.ts";
import { readSetting } from "./follow-settings.ts";
import { judgeMetaCommand } from "./meta-command.ts";
import { createReader, type ScriptReader } from "./reader.ts";
import { refuseScript } from "./refuse.ts";

export interface SplitOptions {
  /** The script's file, for errors. */
  readonly name: string;
  /** Longest statement in bytes; default 256 MiB. */
  readonly largestStatement?: number;
}

const largestStatement = 256 * 1024 * 1024;
const longestCommand = 64 * 1024;

/** What the script said so far about how the rest is to be read. */
interface Reading {
  encoding: string;
  /** psql takes no commands between `\restrict KEY` and `\unrestrict KEY`. */
  restricted: string | null;
}

/**
 * Splits a script into statements, COPY data and psql's commands as psql would, however the bytes arrive. Memory is
 * that of the longest statement. Throws `archive_invalid` with the line for what cannot be read or must not be done.
 */
export async function* splitScript(
  chunks: AsyncIterable<Uint8Array>,
  options: SplitOptions,
): AsyncGenerator<ScriptPart> {
  const reader = createReader(chunks, options.name);
  const { lexer, window } = reader;
  const reading: Reading = { encoding: "UTF8", restricted: null };
  const most = options.largestStatement ?? largestStatement;
  try {
    await reader.skipByteOrderMark();
    for (;;) {
      const stop = lexer.scan(window.bytes, reader.ended);
      if (stop === "more") {
        if (!reader.ended) {
          await reader.more(most);
          continue;
        }
        reader.requireClosed();
        if (lexer.begun === -1) return;
        const last = takeStatement(reader, reading, window.bytes.length);
        if (last.kind === "copy") yield* copyBlock(reader, reading, last);
        else yield last;
        return;
      }
      if (stop === "comment") {
        const comment = reader.takeComment();
        if (comment !== null) yield comment;
      } else if (stop === "backslash") {
        const part = await command(reader, reading);
        if (part !== null) yield part;
      } else {
        const part = takeStatement(reader, reading, lexer.at - 1);
        if (part.kind === "copy") yield* copyBlock(reader, reading, part);
        else yield part;
      }
    }
  } finally {
    await reader.close();
  }
}

interface CopyBeginning {
  readonly kind: "copy";
  readonly text: string;
  readonly line: number;
  readonly encoded: EncodedSql | null;
}

/** The statement whose text ends at `end`; the reader stands behind it. */
function takeStatement(
  reader: ScriptReader,
  reading: Reading,
  end: number,
): Extract<ScriptPart, { kind: "statement" }> | CopyBeginning {
  const { lexer, window } = reader;
  const line = window.lineAt(lexer.begun);
  const { valueRows } = lexer;
  const bytes = window.bytes.subarray(lexer.begun, end);
  const { text, encoded } = decodeStatement(bytes, reading.encoding, reader.name, line);
  const copy = isCopy(bytes) ? readCopyStatement(text) : null;
  reader.next(lexer.at);
  if (copy?.place !== "stdin") {
    follow(text, line, reader, reading);
    return { kind: "statement", text, line, valueRows, encoded };
  }
  if (copy.binary) throw refuseScript(reader.name, line, "binary COPY data in a script cannot be read");
  return { kind: "copy", text, line, encoded };
}

/** A COPY with its rows; afterwards the reader stands behind them, whoever read them. */
async function* copyBlock(
  reader: ScriptReader,
  reading: Reading,
  { text, line, encoded }: CopyBeginning,
): AsyncGenerator<ScriptPart> {
  await startsOnNextLine(reader, line);
  const data = copyRows(reader, line);
  yield {
    kind: "copy",
    statement: text,
    line,
    encoded,
    dataLine: reader.window.line,
    encoding: reading.encoding,
    rows: data.rows(),
    linesRead: () => data.lines,
  };
  await data.finish();
}

function follow(text: string, line: number, reader: ScriptReader, reading: Reading): void {
  const setting = readSetting(text);
  if (setting === null) return;
  if (setting.name === "all") {
    reader.lexer.standardStrings = true;
    reading.encoding = "UTF8";
  } else if (setting.name === "standard strings") reader.lexer.standardStrings = setting.value;
  else if (setting.name === "encoding") setEncoding(setting.value, line, reader, reading);
  else
    throw refuseScript(
      reader.name,
      line,
      `${setting.setting} is changed in a way that cannot be followed`,
      `Write SET ${setting.setting} = 'value' in the script.`,
    );
}

function setEncoding(encoding: string, line: number, reader: ScriptReader, reading: Reading): void {
  if (!isReadable(encoding))
    throw refuseScript(
      reader.name,
      line,
      `SQL in ${encoding} cannot be split safely`,
      "Dump with `pg_dump --encoding=UTF8`, or convert the script with iconv and its SET client_encoding by hand.",
    );
  reading.encoding = isUtf8Name(encoding) ? "UTF8" : encoding;
}

/** Carries out what a psql command means for reading; throws for those that must not run. */
async function command(reader: ScriptReader, reading: Reading): Promise<ScriptPart | null> {
  const { lexer, window } = reader;
  const line = window.lineAt(lexer.at);
  const refuse = (why: string) =>
    refuseScript(reader.name, line, why, "Take the command out of the script, or run the script with psql.");
  const text = await reader.restOfLine(longestCommand);
  if (lexer.begun !== -1) throw refuse("a psql command stands in the middle of a statement");
  const judged = judgeMetaCommand(text);
  reader.next(lexer.at + Buffer.byteLength(text, "latin1"));
  if (reading.restricted !== null && judged.kind !== "unrestrict")
    throw refuse("a psql command stands between \\restrict and \\unrestrict, where psql takes none");
  switch (judged.kind) {
    case "refuse":
      throw refuse(judged.why);
    case "restrict":
      reading.restricted = judged.key;
      return null;
    case "unrestrict":
      if (reading.restricted !== judged.key) throw refuse("\\unrestrict has another key than \\restrict");
      reading.restricted = null;
      return null;
    case "encoding":
      setEncoding(judged.encoding, line, reader, reading);
      return null;
    case "connect":
      // A new connection begins with the server's settings.
      lexer.standardStrings = true;
      reading.encoding = "UTF8";
      return { kind: "connect", database: judged.database, line };
    case "skip":
      return null;
  }
}

function isCopy(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 4).toLowerCase() === "copy";
}
