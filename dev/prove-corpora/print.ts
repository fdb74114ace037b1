import type { Proof } from "../../shared/migrations/prove/types.ts";
import { type Answer, type Question, questions } from "./compare.ts";

/** A folder's proofs, with the answers where something was measured of it. */
export interface Compared {
  readonly corpus: string;
  readonly proofs: readonly Proof[];
  readonly seconds: number;
  readonly answers: readonly (Answer & { readonly migration: string })[];
  /** Measured migrations that were not found in the folder. */
  readonly unproved: readonly string[];
}

const goal = 99;

/** What an agreement is asked of; the others are told. */
const decisive: readonly Question[] = ["verdict", "rows since"];

/** Whether verdicts, and whether rollbacks destroy rows, agree as much as is wanted, over all folders. */
export function enough(all: readonly Compared[]): boolean {
  if (all.some(({ unproved }) => unproved.length > 0)) return false;
  return decisive.every((question) => (percent(all, question) ?? 100) >= goal);
}

/** Every disagreement, with the objects of both sides. */
export function describe({ corpus, answers, unproved }: Compared): string[] {
  const told = answers.filter(({ agrees }) => agrees !== true);
  return [
    ...unproved.map((name) => `${corpus} ${name}: measured, but not in the folder`),
    ...told.flatMap(({ migration, question, agrees, measured, proved }) => [
      `${corpus} ${migration}: ${question}${agrees === "other" ? " (other rows)" : ""}`,
      `    measured: ${measured.slice(0, 600)}`,
      `    proved:   ${proved.slice(0, 600)}`,
    ]),
  ];
}

export function printTable(all: readonly Compared[]): void {
  console.log(["corpus", "migrations", "seconds", ...questions].join("\t"));
  for (const each of all)
    console.log([each.corpus, each.proofs.length, each.seconds.toFixed(1), ...cells([each])].join("\t"));
  const total = all.reduce((sum, { proofs }) => sum + proofs.length, 0);
  console.log(["all", total, all.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1), ...cells(all)].join("\t"));
  for (const { corpus, proofs } of all) console.log(`${corpus}: ${counts(proofs.map(({ verdict }) => verdict))}`);
  console.log(
    `tables that took no rows: ${counts(all.flatMap(({ proofs }) => proofs.flatMap(({ unseeded }) => unseeded)))}`,
  );
}

function cells(all: readonly Compared[]): string[] {
  return questions.map((question) => {
    const asked = answersTo(all, question);
    const right = asked.filter(({ agrees }) => agrees === true).length;
    const other = all
      .flatMap(({ answers }) => answers)
      .filter((each) => each.question === question && each.agrees === "other");
    const share = percent(all, question);
    return `${right}/${asked.length}${share === null ? "" : ` ${share.toFixed(2)} %`}${other.length > 0 ? ` (+${other.length} other)` : ""}`;
  });
}

function answersTo(all: readonly Compared[], question: Question): Answer[] {
  return all.flatMap(({ answers }) => answers.filter((each) => each.question === question && each.agrees !== "other"));
}

function percent(all: readonly Compared[], question: Question): number | null {
  const asked = answersTo(all, question);
  return asked.length === 0 ? null : (100 * asked.filter(({ agrees }) => agrees === true).length) / asked.length;
}

function counts(words: readonly string[]): string {
  const found = new Map<string, number>();
  for (const word of words) found.set(word, (found.get(word) ?? 0) + 1);
  return (
    [...found]
      .sort((a, b) => b[1] - a[1])
      .map(([word, n]) => `${word} ${n}`)
      .join(", ") || "none"
  );
}
