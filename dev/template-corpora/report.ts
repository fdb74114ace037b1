import type { Outcome } from "./propose.ts";

export interface CorpusOutcomes {
  readonly corpus: string;
  readonly outcomes: readonly Outcome[];
}

const columns = [
  ["proved", "proved exact"],
  ["column_order", "equal but for column order"],
  ["differs", "differ"],
  ["none", "no SQL"],
  ["nothing_to_do", "nothing to undo"],
  ["up_fails", "cannot be applied"],
] as const;

/** The counts and the rest by name, as docs/proposed-corpora.md has them. */
export function reportOf(all: readonly CorpusOutcomes[]): string {
  const count = (outcomes: readonly Outcome[], state: string) => outcomes.filter((one) => one.state === state).length;
  const equal = (outcomes: readonly Outcome[]) => outcomes.filter(({ stock }) => stock === "equal").length;
  const row = (name: string, outcomes: readonly Outcome[]) =>
    [name, outcomes.length, ...columns.map(([state]) => count(outcomes, state)), equal(outcomes)].join(" | ");
  const every = all.flatMap(({ outcomes }) => outcomes);
  return [
    `| corpus | wrong rollbacks | ${columns.map(([, title]) => title).join(" | ")} | applied, and \`pg_dump -s\` equal |`,
    `| --- |${" ---: |".repeat(columns.length + 2)}`,
    ...all.map(({ corpus, outcomes }) => `| ${row(corpus, outcomes)} |`),
    `| **all** | ${row("", every).slice(3)} |`,
    "",
    ...all.flatMap(({ corpus, outcomes }) => rest(corpus, outcomes)),
  ].join("\n");
}

function rest(corpus: string, outcomes: readonly Outcome[]): string[] {
  const open = outcomes.filter(({ state }) => state !== "proved" && state !== "nothing_to_do");
  if (open.length === 0) return [];
  const lines = open.map(({ migration, state, reasons }) => {
    const what = reasons.map((reason) => reason.replace(/^TABLE (\S+) (.*): columns in another order$/, "$2"));
    return `- ${migration}: ${state === "column_order" ? `columns of ${what.join(", ")}` : what.join("; ")}`;
  });
  return [`## ${corpus}`, "", ...lines, ""];
}
