/** Names that go, oldest first, cut wherever one of `applied` (oldest first) that stays stands between two of them. */
export function runsOf(going: ReadonlySet<string>, applied: readonly string[]): string[][] {
  const runs: string[][] = [];
  let open = false;
  for (const name of applied) {
    if (!going.has(name)) open = false;
    else if (open) runs.at(-1)!.push(name);
    else {
      runs.push([name]);
      open = true;
    }
  }
  return runs;
}
