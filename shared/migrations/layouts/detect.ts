import type { LayoutDetection, LayoutName, LayoutProblem } from "../types.ts";
import { plainLayouts } from "./plain-names.ts";
import type { Sign } from "./signs.ts";

interface Found {
  readonly layout: LayoutName;
  readonly detection: LayoutDetection;
  readonly problems: readonly LayoutProblem[];
}

/** The layout of most migrations; two that fit equally well are an error, and the one found first is read. */
export function detectLayout(directory: string, signs: readonly Sign[], given?: LayoutName): Found {
  const votes = countVotes(signs);
  const counted = Object.fromEntries(votes) as LayoutDetection["votes"];
  if (given !== undefined)
    return {
      layout: given,
      detection: { chosen: "given", reason: `--layout ${given}`, votes: counted },
      problems: [],
    };
  const [first, second] = [...votes].sort(([, a], [, b]) => b - a);
  if (first === undefined)
    return {
      layout: plainRollbacks(signs),
      detection: { chosen: "found", reason: "there is no migration in it", votes: {} },
      problems: [],
    };
  const reason =
    second === undefined
      ? `${first[0]}: ${wordsFor(first[1])}`
      : `${first[0]}: ${wordsFor(first[1])}; ${second[0]}: ${wordsFor(second[1])}`;
  const problems: LayoutProblem[] = [];
  if (second !== undefined && second[1] === first[1])
    problems.push({
      code: "ambiguous_layout",
      severity: "error",
      message: `${directory} fits ${first[0]} and ${second[0]} equally well, and is read as ${first[0]}: say which with --layout`,
      place: { file: directory, line: 1 },
    });
  return { layout: first[0], detection: { chosen: "found", reason, votes: counted }, problems };
}

function wordsFor(votes: number): string {
  if (votes < 1) return "rollback files alone";
  return votes < 2 ? "1 migration" : `${Math.floor(votes)} migrations`;
}

/** Migrations a layout; a rollback without its migration weighs little, so that it decides only where nothing else does. */
function countVotes(signs: readonly Sign[]): [LayoutName, number][] {
  const votes = new Map<LayoutName, number>();
  for (const { layout, part } of signs) {
    if (layout === null) continue;
    const name = layout === "plain" ? "section" : layout;
    votes.set(name, (votes.get(name) ?? 0) + (part === "forward" ? 1 : 0.000_001));
  }
  const plain = plainRollbacks(signs);
  return [...votes].map(([name, count]) => [name === "section" ? plain : name, Math.floor(count) || count]);
}

/** Where the plain files keep rollback SQL: sections, else the place with most files. */
function plainRollbacks(signs: readonly Sign[]): LayoutName {
  const kinds = signs.map((sign) => sign.rollback).filter((kind) => kind !== null);
  if (kinds.includes("section") || kinds.length === 0) return "section";
  const count = (name: LayoutName) => kinds.filter((kind) => kind === name).length;
  return [...plainLayouts].sort((a, b) => count(b) - count(a))[0]!;
}
