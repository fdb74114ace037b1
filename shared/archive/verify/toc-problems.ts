import type { Toc, TocEntry } from "../format/toc.ts";

/** Problems are listed up to this number; a forged table of contents could have as many as entries. */
const mostListed = 20;

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
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const waiting = new Map<number, number>();
  const dependents = new Map<number, number[]>();
  for (const { dumpId, dependencies } of entries) {
    const real = [...new Set(dependencies)].filter((id) => byId.has(id));
    waiting.set(dumpId, real.length);
    for (const id of real) {
      const others = dependents.get(id);
      if (others === undefined) dependents.set(id, [dumpId]);
      else others.push(dumpId);
    }
  }
  const free = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    waiting.delete(id);
    for (const other of dependents.get(id) ?? []) {
      const left = waiting.get(other)! - 1;
      waiting.set(other, left);
      if (left === 0) free.push(other);
    }
  }
  return walkLoop(byId, waiting);
}

/** Every entry that is left waits for one that is left: following them comes back to one that was seen. */
function walkLoop(byId: ReadonlyMap<number, TocEntry>, left: ReadonlyMap<number, number>): TocEntry[] {
  const path: number[] = [];
  const seen = new Set<number>();
  for (let id = left.keys().next().value; id !== undefined; ) {
    if (seen.has(id)) return [...path.slice(path.indexOf(id)), id].slice(0, 10).map((one) => byId.get(one)!);
    seen.add(id);
    path.push(id);
    id = byId.get(id)!.dependencies.find((other) => left.has(other));
  }
  return [];
}
