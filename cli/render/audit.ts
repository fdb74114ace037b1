import type { AuditVerification } from "../../shared/audit/types.ts";
import { count, mark } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang } from "./wrap.ts";

/** What a verification found, for a person. */
export function verificationLines(result: AuditVerification, width: number): string[] {
  const { rows, head, problems, problemCount, anchors, tail, notes, ok } = result;
  const more = problemCount - problems.length;
  return [
    ...hang(
      `${ok ? mark.yes() : mark.no()} `,
      ok ? `audit log: ${count(rows, "row")}, chain intact` : `audit log: ${count(problemCount, "problem")}`,
      width,
    ),
    ...problems.flatMap(({ message }) => hang(`  ${mark.no()} `, printable(message), width)),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...hang(`  ${ok && tail === "proved" ? mark.yes() : mark.open()} `, tailOf(result), width),
    ...(anchors.compared === 0 ? [] : [`  compared with ${count(anchors.compared, "anchor")}${recordsOf(result)}`]),
    ...notes.flatMap((note) => hang("  note: ", printable(note), width)),
    ...(head.id === 0 ? [] : [`  head ${head.id}:${head.hash}`]),
  ];
}

function tailOf({ tail, unanchoredRows, anchors, ok }: AuditVerification): string {
  const { newest } = anchors;
  if (!ok) return "the tail is not proved";
  if (tail === "not_proved") return "the tail is not proved: rows cut off at the end would not show";
  if (newest === null) return "there are no rows";
  const at = `the anchor of row ${newest.id}, of ${newest.anchoredAt} by ${printable(newest.anchoredBy)}`;
  return unanchoredRows === 0 ? `the tail is proved by ${at}` : `proved up to ${at}`;
}

function recordsOf({ records: { rollbacks, archives, receipts } }: AuditVerification): string {
  if (rollbacks + archives + receipts === 0) return "";
  return `, ${count(receipts, "receipt")}, and the records of ${count(rollbacks, "rollback")} and ${count(archives, "archive")}`;
}
