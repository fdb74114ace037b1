import { type ExportEnd, exportEndSchema } from "./export-format.ts";
import { readExport } from "./read-export.ts";
import { type Sealed, signatureProblem, unseal } from "./sealed.ts";
import { type Anchor, type AuditVerification, anchorSchema } from "./types.ts";
import { verdictOf } from "./verdict.ts";
import type { VerifyOptions } from "./verify.ts";
import { witnessOf } from "./verify.ts";
import { ChainWalk, Problems } from "./walk.ts";

/** Verifies an export by the same rules, without a database: its rows, the anchors in it, and its end. Memory stays flat. */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array>,
  options: VerifyOptions = {},
): Promise<AuditVerification> {
  const problems = new Problems();
  const walk = new ChainWalk(problems, true);
  const damaged = (why: string) => problems.add("export_damaged", null, `the export is damaged: ${why}`);
  let end: ExportEnd | null = null;
  let newest: Anchor | null = null;
  let expected = false;
  const { expect } = options;
  try {
    for await (const item of readExport(chunks)) {
      if (end !== null) damaged("there is more behind its end");
      if (end !== null) break;
      if (item.kind === "broken") damaged(item.why);
      else if (item.kind === "row") {
        walk.row(item.row);
        if (expect !== undefined && item.row.id === BigInt(expect.id)) {
          expected = true;
          if (item.row.hash !== expect.hash)
            problems.add("not_as_expected", expect.id, `row ${expect.id} does not have the hash that was expected`);
        }
      } else if (item.kind === "anchor") {
        const anchor = anchorIn(item.value);
        const signed = anchor === null ? null : await signatureProblem(anchor, options.key ?? null);
        if (anchor === null) damaged("an anchor in it does not read");
        else if (signed !== null)
          problems.add("signature", anchor.document.id, `the anchor of row ${anchor.document.id}: ${signed}`);
        if (anchor === null) continue;
        newest = anchor.document;
        walk.witness(witnessOf(newest));
      } else {
        const parsed = exportEndSchema.safeParse(item.value);
        if (parsed.success) end = parsed.data;
        else damaged("its end does not read");
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    damaged(error.message);
  }
  walk.end();
  if (end === null) damaged("it has no end, so its last rows may be missing");
  else checkEnd(end, walk, damaged);
  if (expect !== undefined && !expected)
    problems.add("not_as_expected", expect.id, `row ${expect.id}, which was expected, is not there`);
  return verdictOf({
    walk,
    problems,
    store: end?.store ?? null,
    newest,
    records: { rollbacks: 0, archives: 0, receipts: 0 },
    notes: notesOf(end, walk),
  });
}

function checkEnd(end: ExportEnd, walk: ChainWalk, damaged: (why: string) => void): void {
  if (end.rows !== walk.rows) damaged(`it has ${walk.rows} rows, and its end says ${end.rows}`);
  if (end.head !== null && (end.head.id !== walk.head.id || end.head.hash !== walk.head.hash))
    damaged(`its last row is ${walk.head.id}, and its end says ${end.head.id}`);
  if (end.anchors !== walk.witnesses) damaged(`it has ${walk.witnesses} anchors, and its end says ${end.anchors}`);
  if (walk.rows > 0 && end.from !== walk.from) damaged(`it begins at row ${walk.from}, and its end says ${end.from}`);
}

function notesOf(end: ExportEnd | null, walk: ChainWalk): string[] {
  if (end === null) return [];
  const notes = [...end.notes];
  if (walk.from > 1) notes.push(`the export begins at row ${walk.from}: what is before it was not looked at`);
  const last = end.logHead?.id ?? 0;
  if (last > walk.head.id) notes.push(`the log went on to row ${last} when it was exported`);
  return notes;
}

function anchorIn(value: unknown): Sealed<Anchor> | null {
  try {
    return unseal(Buffer.from(`${JSON.stringify(value, null, 2)}\n`), anchorSchema, "an anchor");
  } catch {
    return null;
  }
}
