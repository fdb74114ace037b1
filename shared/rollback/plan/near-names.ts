/** Up to three names that hold the text or share most of their three-letter runs with it. */
export function nearNames(name: string, known: readonly string[]): string[] {
  const wanted = runs(name);
  const scored = known.map((each) => {
    const have = runs(each);
    const shared = [...wanted].filter((run) => have.has(run)).length;
    const holds = name.length > 2 && each.toLowerCase().includes(name.toLowerCase());
    return { each, score: holds ? 1 : (2 * shared) / (wanted.size + have.size || 1) };
  });
  return scored
    .filter(({ score }) => score >= 0.4)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ each }) => each);
}

function runs(text: string): Set<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 2) }, (_, at) => lower.slice(at, at + 3)));
}
