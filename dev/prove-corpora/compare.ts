import type { Proof, ProofLoss, ProofVerdict } from "../../shared/migrations/prove/types.ts";
import type { Measured } from "./measured.ts";

export type Question = "verdict" | "rows since" | "objects since" | "rows before" | "objects before";
export const questions: readonly Question[] = [
  "verdict",
  "rows since",
  "objects since",
  "rows before",
  "objects before",
];

/**
 * One question put to both. `other`: the generated rows differ, so there is nothing to compare: a script fails over the
 * rows of one side alone, or what was dropped with its rows here held none there (what is dropped cannot keep them).
 */
export interface Answer {
  readonly question: Question;
  readonly agrees: boolean | "other";
  readonly measured: string;
  readonly proved: string;
}

/** Compares a proof with what was measured, question by question. */
export function compare(proof: Proof, measured: Measured): Answer[] {
  return [
    verdictAnswer(proof, measured),
    ...rowAnswers(proof, measured, "since"),
    ...rowAnswers(proof, measured, "before"),
  ];
}

const fitting: Readonly<Record<string, readonly ProofVerdict[]>> = {
  inverse: ["exact"],
  "non-inverse": ["residue", "overreach", "differs", "noop"],
  "column-order": ["column-order"],
  "down-fails": ["fails"],
  "no-down": ["missing"],
  "up-fails": ["up-fails", "environment"],
};

function verdictAnswer(proof: Proof, measured: Measured): Answer {
  const onlyOrder = measured.verdict === "non-inverse" && measured.classes.join() === "column-order";
  const wanted = onlyOrder ? "column-order" : measured.verdict;
  const objects = proof.differences.map(({ key, how }) => `${how} ${key}`).join("; ");
  return {
    question: "verdict",
    agrees: fitting[wanted]?.includes(proof.verdict) ?? false,
    measured: [wanted, measured.classes.join(), measured.reason].filter((each) => each !== "").join(" | "),
    proved: [proof.verdict, proof.message, objects].filter((each) => each !== "").join(" | "),
  };
}

function rowAnswers(proof: Proof, measured: Measured, of: ProofLoss["of"]): Answer[] {
  const theirs = measured[of];
  const ours = proof.with_rows?.[of];
  if (theirs === null || ours === undefined || ours === "not_run") return [];
  const objects = objectsOf(proof, of);
  const proved = `${ours} ${objects.join("; ")}${proof.with_rows?.error == null ? "" : ` | ${proof.with_rows.error}`}`;
  const said = { measured: theirs.text, proved };
  const failed = (state: string) => /fails$/.test(state);
  const state = ours.replace("_", "-");
  if (failed(state) !== failed(theirs.state)) return [{ question: `rows ${of}`, agrees: "other", ...said }];
  const same = state === theirs.state;
  const more = objectsOf(proof, of, ({ how }) => how !== "dropped").some((each) => !theirs.objects.includes(each));
  const less = theirs.objects.some((each) => !objects.includes(each));
  const onlyDropped = of === "since" && !more && !less;
  const rows: Answer = { question: `rows ${of}`, agrees: same || (onlyDropped ? "other" : false), ...said };
  if (!same || theirs.state !== "lost") return [rows];
  const equal = objects.join() === theirs.objects.join();
  return [rows, { question: `objects ${of}`, agrees: equal || (onlyDropped ? "other" : false), ...said }];
}

function objectsOf(proof: Proof, of: ProofLoss["of"], such: (loss: ProofLoss) => boolean = () => true): string[] {
  const objects = proof.loses
    .filter((loss) => loss.of === of && such(loss))
    .flatMap(({ schema, table, columns }) =>
      columns === null ? [`${schema}.${table}`] : columns.map((column) => `${schema}.${table}.${column}`),
    );
  return [...new Set(objects)].sort();
}
