import { notLookedFor } from "../../shared/migrations/prove/fix.ts";
import type { Proof, ProofDifference, ProofLoss, ProofVerdict } from "../../shared/migrations/prove/types.ts";
import { count, mark, paint } from "../terminal.ts";
import { lineDiff } from "./line-diff.ts";
import { printable, printableLines } from "./printable.ts";
import { hang } from "./wrap.ts";

export interface ProofStyle {
  readonly width: number;
  /** Every difference and every line of it. */
  readonly verbose: boolean;
  fails(proof: Proof): boolean;
}

const shownObjects = 4;
const shownLines = 12;

/** A proof for people: one line, and what is wrong below it. */
export function proofLines(proof: Proof, style: ProofStyle): string[] {
  const sign = proof.verdict === "exact" ? mark.yes() : style.fails(proof) ? mark.no() : mark.open();
  const name = paint(proof.verdict === "exact" ? "reset" : "bold", printable(proof.migration));
  const notes = [
    ...(proof.cached ? ["proved before"] : []),
    ...(proof.noop && proof.verdict === "exact" ? ["nothing to undo"] : []),
  ];
  const note = notes.length === 0 ? "" : paint("dim", `  (${notes.join(", ")})`);
  const head = `${sign} ${name}  ${proof.verdict}${note}`;
  const again = proof.up_again === "differs" || proof.up_again === "fails";
  const loses = proof.loses.length === 0 ? [] : hang("    loses: ", lossWords(proof.loses), style.width);
  if (proof.verdict === "exact" && !again) return [head, ...loses];
  return [
    head,
    ...hang("    ", printableLines(proof.message), style.width),
    ...statementLines(proof),
    ...differencesLines(proof.differences, style),
    ...loses,
    ...fixLines(proof, style),
  ];
}

function statementLines({ error }: Proof): string[] {
  if (error?.statement == null) return [];
  const lines = printableLines(error.statement).split("\n");
  const shown = lines.slice(0, 4).map((line) => paint("dim", `      ${line}`));
  return lines.length > 4 ? [...shown, paint("dim", "      ...")] : shown;
}

const hows: Readonly<Record<ProofDifference["how"], string>> = {
  left_over: "left over",
  missing: "missing",
  changed: "changed",
  column_order: "columns in another order",
};

function differencesLines(differences: readonly ProofDifference[], { verbose }: ProofStyle): string[] {
  const shown = verbose ? differences : differences.slice(0, shownObjects);
  const lines = shown.flatMap((difference) => {
    const { kind, schema, name, how, before, after } = difference;
    const title = `    ${hows[how]}: ${kind} ${schema === null ? "" : `${schema}.`}${name}`;
    if (before === null || after === null) return [printable(title)];
    const diff = printableLines(lineDiff(before, after).join("\n")).split("\n");
    const limit = verbose ? diff.length : shownLines;
    const rest = diff.length > limit ? [`      ... ${count(diff.length - limit, "more line")}`] : [];
    return [printable(title), ...diff.slice(0, limit).map(diffLine), ...rest];
  });
  const hidden = differences.length - shown.length;
  return hidden === 0 ? lines : [...lines, `    ... and ${count(hidden, "more object")} (--verbose shows all)`];
}

function diffLine(line: string): string {
  const text = `      ${line}`;
  return line.startsWith("+") ? paint("green", text) : line.startsWith("-") ? paint("red", text) : text;
}

function fixLines({ fix, no_fix }: Proof, { verbose, width }: ProofStyle): string[] {
  if (fix === null)
    return no_fix === null || no_fix === notLookedFor ? [] : hang("    no fix: ", printableLines(no_fix), width);
  const lines = printableLines(fix.trimEnd()).split("\n");
  const limit = verbose ? lines.length : shownLines * 2;
  const rest =
    lines.length > limit ? [`      ... ${count(lines.length - limit, "more line")} (--verbose shows all)`] : [];
  return [
    `    ${paint("green", "this was tried and ends as before:")}`,
    ...lines.slice(0, limit).map((line) => `      ${line}`),
    ...rest,
  ];
}

export function lossWords(loses: readonly ProofLoss[]): string {
  const words = loses.map(({ schema, table, columns, rows, of }) => {
    const what = columns === null ? "all rows of " : `${columns.join(", ")} of `;
    const many = rows === null ? "" : ` (${count(rows, "generated row")})`;
    return `${what}${schema}.${table}${many}${of === "before" ? ", which were there before" : ""}`;
  });
  const shown = words.slice(0, 6).map(printable);
  return words.length > 6 ? `${shown.join("; ")}; and ${words.length - 6} more` : shown.join("; ");
}

const order: readonly ProofVerdict[] = [
  "exact",
  "column-order",
  "residue",
  "overreach",
  "differs",
  "fails",
  "noop",
  "missing",
  "up-fails",
  "environment",
];

/** `133 exact, 2 residue`, in the order of the verdicts. */
export function verdictCounts(proofs: readonly Proof[]): string {
  return order
    .map((verdict) => [proofs.filter((proof) => proof.verdict === verdict).length, verdict] as const)
    .filter(([number]) => number > 0)
    .map(([number, verdict]) => `${number} ${verdict}`)
    .join(", ");
}
