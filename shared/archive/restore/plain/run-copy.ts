import { isBelayError } from "../../../errors.ts";
import { copyIn } from "../../../postgres/copy-in.ts";
import type { Session } from "../../../postgres/session.ts";
import type { ScriptTable } from "../../read/plain/names.ts";
import { tableKey } from "../../read/plain/names.ts";
import type { ScriptPart } from "../../read/types.ts";
import { copyTogether, RowFailure } from "./copy-together.ts";
import { converted, setEncoding, withAsciiNames } from "./encoded.ts";
import { type Helper, loadsApart } from "./helper.ts";
import { type ScriptProgress, scriptError } from "./script-error.ts";

export interface CopyRun {
  readonly script: string;
  readonly session: Session;
  readonly helper: Helper;
  /** Tables with rows enough for two sessions; see tableKey. */
  readonly large: ReadonlySet<string>;
  readonly progress: ScriptProgress;
}

type Copy = Extract<ScriptPart, { kind: "copy" }>;

/** Loads the rows of one COPY and returns how many; throws what scriptError makes of the failure. */
export async function runCopy(run: CopyRun, part: Copy, table: ScriptTable): Promise<number> {
  const { script, session, progress } = run;
  const { line, statement: text, dataLine } = part;
  try {
    if (await mayShare(run, part, table))
      return await copyTogether({
        session,
        helper: run.helper,
        statement: text,
        rows: part.rows,
        dataLine,
        onBytes: (bytes) => {
          progress.bytes += bytes;
        },
      });
    const sent = part.encoded === null ? text : withAsciiNames(await converted(session, part.encoded));
    if (part.encoding !== "UTF8") await setEncoding(session, part.encoding);
    const rows = await copyIn(session, sent, counted(part.rows, progress));
    if (part.encoding !== "UTF8") await setEncoding(session, "UTF8");
    return rows;
  } catch (error) {
    const failure = error instanceof RowFailure ? error : null;
    const cause = failure === null ? error : failure.cause;
    if (isBelayError(cause, "archive_invalid")) throw cause;
    throw scriptError(cause, { script, line, text, dataLine, rowLine: failure?.line ?? undefined }, progress);
  }
}

async function mayShare(
  { session, helper, large, progress }: CopyRun,
  part: Copy,
  table: ScriptTable,
): Promise<boolean> {
  if (!helper.usable || !large.has(tableKey(table))) return false;
  if (progress.transactionLine !== null || part.encoding !== "UTF8" || part.encoded !== null) return false;
  return await loadsApart(session, table);
}

async function* counted(chunks: AsyncIterable<Uint8Array>, progress: ScriptProgress): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.bytes += chunk.length;
    yield chunk;
  }
}
