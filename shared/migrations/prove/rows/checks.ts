/** What the text of a condition says of the values that it wants. */
export interface CheckWords {
  /** String literals, without their casts. */
  readonly strings: readonly string[];
  readonly numbers: readonly number[];
}

/** Finds the literals in a condition as the server writes it. */
export function wordsOf(expressions: readonly string[]): CheckWords {
  const strings = new Set<string>();
  const numbers = new Set<number>();
  for (const expression of expressions) {
    for (const [, text] of expression.matchAll(/'((?:[^']|'')*)'/g)) strings.add(text!.replaceAll("''", "'"));
    const bare = expression.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, " ");
    for (const [text] of bare.matchAll(/(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])/g)) numbers.add(Number(text));
  }
  for (const text of strings) if (/^-?\d+(\.\d+)?$/.test(text)) numbers.add(Number(text));
  return { strings: [...strings], numbers: [...numbers] };
}

/** Literals of a condition that is a plain list of them, `x = ANY (ARRAY['a'::text, ...])` or `x = 'a'`; else none. */
export function listedIn(expression: string): string[] {
  if (!/^[("]*[\w."]+\)?(::[\w ]+)?\)? = (ANY|')/.test(expression) || /\b(AND|OR|NOT)\b/.test(expression)) return [];
  return [...wordsOf([expression]).strings];
}
