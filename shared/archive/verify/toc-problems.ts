import type { Toc, TocEntry } from "../format/toc.ts";

/** Problems are listed up to this number; a forged table of contents could have as many as entries. */
const mostListed = 20;
const mostOfLoop = 10;

/** What is wrong in a table of contents by itself. Dependencies on entries that are not there are usual in stock archives. */
export function tocProblems(toc: Toc): string[] {
  const last = toc.entries.reduce((most, { dumpId }) => Math.max(most, dumpId), 0);
  const problems = toc.entries.flatMap((entry) => dataProblem(entry, last) ?? []);
  const loop = dependencyLoop(toc.entries);
  if (loop.length > 0)
    problems.push(`entries depend on each other in a circle: ${loop.map(describeEntry).join(" → ")}`);
  return problems.length <= mostListed
    ? problems
    : [...problems.slice(0, mostListed), `and ${problems.length - mostListed} more of that kind`];
}

/** An entry as errors name it. */
export function describeEntry({ desc, namespace, tag }: TocEntry): string {
  return `${desc} ${namespace === null ? "" : `${namespace}.`}${tag}`.slice(0, 200);
}

/** pg_restore drops such entries without a word, or stops at them (archive format, section 7). */
function dataProblem(entry: TocEntry, last: number): string | null {
  if (entry.desc !== "TABLE DATA") return null;
  if (!entry.hadDumper) return `${describeEntry(entry)} has no data: its rows were left out`;
  const [table] = entry.dependencies;
  if (table === undefined || table > last) return `${describeEntry(entry)} does not say which table it fills`;
  return null;
}

/** Entries of one circle of dependencies; empty when there is none. */
function dependencyLoop(entries: readonly TocEntry[]): TocEntry[] {
  const indexes = new Map(entries.map(({ dumpId }, index) => [dumpId, index]));
  const done = new Uint8Array(entries.length);
  const onPath = new Uint8Array(entries.length);
  for (let start = 0; start < entries.length; start++) {
    if (done[start] === 1) continue;
    const path = [{ index: start, next: 0 }];
    onPath[start] = 1;
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const id = entries[here.index]!.dependencies[here.next++];
      if (id === undefined) {
        done[here.index] = 1;
        onPath[here.index] = 0;
        path.pop();
        continue;
      }
      const index = indexes.get(id);
      // One that depends on itself waits for nothing else.
      if (index === undefined || index === here.index || done[index] === 1) continue;
      if (onPath[index] === 1) return loopOf(entries, [...path.map((step) => step.index), index]);
      onPath[index] = 1;
      path.push({ index, next: 0 });
    }
  }
  return [];
}

function loopOf(entries: readonly TocEntry[], path: readonly number[]): TocEntry[] {
  return path
    .slice(path.indexOf(path.at(-1)!))
    .slice(0, mostOfLoop)
    .map((index) => entries[index]!);
}
