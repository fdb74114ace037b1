import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exportAudit } from "../../../shared/audit/export.ts";
import { type ExportFormat, exportFormats } from "../../../shared/audit/export-format.ts";
import { BelayError } from "../../../shared/errors.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exit } from "../../exit.ts";
import { bytes, mark } from "../../terminal.ts";

export async function exportLog({ flags, terminal, belay }: Invocation): Promise<ExitCode> {
  const format = formatOf(flags.format);
  const from = rowId("from", flags.from);
  const to = rowId("to", flags.to);
  const request = { format, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const { output } = flags;
  if (typeof output !== "string") {
    if (terminal.json)
      throw new BelayError("usage", "--json tells of a file", { hint: "Give --output FILE, or leave --json out." });
    await pipeline(Readable.from(exportAudit(belay, request)), process.stdout, { end: false });
    return exit.done;
  }
  const size = await writeTo(output, exportAudit(belay, request));
  if (terminal.json) terminal.document({ file: output, bytes: size, format });
  terminal.line(`${mark.yes()} ${output}, ${bytes(size)}; verify it with: belay audit verify --file ${output}`);
  return exit.done;
}

/** Whole or not at all: under another name first. */
async function writeTo(file: string, text: AsyncIterable<string>): Promise<number> {
  const between = `${file}.${randomBytes(6).toString("hex")}`;
  const stream = createWriteStream(between, { flags: "wx", mode: 0o600, flush: true });
  try {
    await pipeline(Readable.from(text), stream);
    await rename(between, file);
    return stream.bytesWritten;
  } catch (error) {
    await rm(between, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new BelayError("usage", `${file} cannot be written: ${(error as Error).message}`, {
      hint: "Check the folder's permissions.",
    });
  }
}

function formatOf(value: unknown): ExportFormat {
  const format = exportFormats.find((known) => known === (value ?? "jsonl"));
  if (format !== undefined) return format;
  throw new BelayError("usage", `there is no format ${value}`, { hint: "--format jsonl or --format csv" });
}

function rowId(flag: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new BelayError("usage", `--${flag} ${value} is not a row's number`, { hint: `--${flag} 1` });
}
