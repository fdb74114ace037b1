import type { Walked } from "./types.ts";

/** A corpus with what became of each migration, newest first. */
export interface Counted {
  readonly corpus: string;
  readonly walked: readonly Walked[];
  /** Lengths of the runs that were gone down and up again without a break. */
  readonly chains: readonly number[];
  readonly seconds: number;
}

const columns = [
  "migrations",
  "rolled back",
  "in sets",
  "undone",
  "equal",
  "column order",
  "stale views",
  "differs",
  "failed",
  "refused",
  "end state differs",
  "rows archived",
  "chains",
  "longest",
  "seconds",
] as const;

/** What went wrong, with its objects. */
export function describe({ corpus, walked }: Pick<Counted, "corpus" | "walked">): string[] {
  return walked.flatMap(({ migrations, up }) =>
    up === null ? [] : up.wrong.map((what) => `${corpus} ${migrations.join(" ")}: ${up.outcome}: ${what}`),
  );
}

export function describeRefusals({ corpus, walked }: Counted): string[] {
  return walked.flatMap(({ migrations, down }) =>
    down.refusal === null ? [] : [`${corpus} ${migrations[0]}: refused: ${down.refusal.why}: ${down.refusal.message}`],
  );
}

export function tableOf(all: readonly Counted[]): string[][] {
  const total: Counted = {
    corpus: "all",
    walked: all.flatMap(({ walked }) => walked),
    chains: all.flatMap(({ chains }) => chains),
    seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
  };
  return [["corpus", ...columns], ...[...all, total].map((each) => [each.corpus, ...cells(each)])];
}

function cells({ walked, chains, seconds }: Counted): string[] {
  const size = (some: readonly Walked[]) => some.reduce((sum, { migrations }) => sum + migrations.length, 0);
  const of = (...outcomes: string[]) => size(walked.filter(({ up }) => up !== null && outcomes.includes(up.outcome)));
  const sets = walked.filter(({ migrations }) => migrations.length > 1);
  const numbers = [
    size(walked),
    size(walked.filter(({ down }) => down.refusal === null)),
    size(sets),
    of("equal", "column order", "stale views", "differs"),
    of("equal"),
    of("column order"),
    of("stale views"),
    of("differs"),
    of("failed"),
    size(walked.filter(({ down }) => down.refusal !== null)),
    size(walked.filter(({ down }) => down.endStateDiffers)),
    walked.reduce((sum, { down }) => sum + down.rowsArchived, 0),
    chains.length,
    Math.max(0, ...chains),
    Math.round(seconds),
  ];
  return numbers.map(String);
}

/** Refusals by their reason, and undos by their way, the most frequent first. */
export function countsOf(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}
