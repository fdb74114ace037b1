/** Lines with `- ` where only the first text has them, `+ ` where only the second has, and `  ` around those. */
export function lineDiff(before: string, after: string): string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const middle = merge(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const context = (line: string | undefined) => (line === undefined || line.trim() === "" ? [] : [`  ${line}`]);
  return [...context(a[start - 1]), ...middle, ...context(end === 0 ? undefined : a.at(-end))];
}

const largest = 250_000;

/** Longest common subsequence; of texts that are too long for it, all of the one and then all of the other. */
function merge(a: readonly string[], b: readonly string[]): string[] {
  if (a.length * b.length > largest) return [...a.map((line) => `- ${line}`), ...b.map((line) => `+ ${line}`)];
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (j >= b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  return lines;
}
