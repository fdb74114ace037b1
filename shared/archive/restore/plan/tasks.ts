import type { TocEntry } from "../../format/toc.ts";
import type { Relations } from "./relations.ts";
import type { Step, Task } from "./types.ts";

/**
 * What each step must wait for and may not meet, as pg_restore's workers know it (archive format, section 8), and with
 * partitions and children: a dependency on a table is one on its rows, and everything but an index takes it alone.
 */
export function orderTasks(steps: readonly Step[], relations: Relations): Task[] {
  const byId = new Map(steps.map((step) => [step.entry.dumpId, step]));
  const throughRoots = steps
    .filter((step) => step.kind === "rows" && isThroughRoot(step))
    .map(({ entry }) => entry.dumpId);
  const bytesOf = (id: number) => {
    const step = byId.get(id);
    return step?.kind === "rows" ? step.bytes : 0;
  };
  const inherited = inheritedTriggers(steps);
  return steps.map((step) => {
    const { entry } = step;
    const dependencies = [...new Set([...entry.dependencies, ...inherited(entry)])];
    if (step.kind !== "sql")
      return {
        step,
        needs: dependencies.filter((id) => byId.has(id) && id !== entry.dumpId),
        exclusive: step.kind === "rows" && step.own ? dependencies.slice(0, 1) : [],
        shared: [],
        weight: step.bytes,
      };
    const late = entry.section === "post-data" || entry.section === "none";
    const loads = late ? [...dependencies.flatMap((id) => relations.loads(id)), ...throughRoots] : [];
    const needs = [...new Set([...dependencies, ...loads])].filter((id) => byId.has(id) && id !== entry.dumpId);
    const locked = dependencies.filter((id) => relations.isRelation(id) || byId.has(id));
    const touched = late ? [...new Set(locked.flatMap((id) => relations.family(id)))] : [];
    return {
      step,
      needs,
      ...(entry.desc === "INDEX" ? { exclusive: [], shared: touched } : { exclusive: touched, shared: [] }),
      weight: goesOverRows(entry) ? needs.reduce((sum, id) => sum + bytesOf(id), 0) : 0,
    };
  });
}

function isThroughRoot(step: Extract<Step, { kind: "rows" }>): boolean {
  return step.entry.defn?.startsWith("-- load via partition root") ?? false;
}

/**
 * What a partition's trigger is set to comes after the trigger of the partitioned table, which makes it: pg_dump writes
 * that order, but no dependency. Gives the triggers of the same name.
 */
function inheritedTriggers(steps: readonly Step[]): (entry: TocEntry) => readonly number[] {
  const isSetting = ({ desc, defn }: TocEntry) => desc === "TRIGGER" && /^\s*ALTER TABLE\b/.test(defn ?? "");
  // The tag is `table trigger`, and there may be spaces in both.
  const endings = ({ tag }: TocEntry) =>
    tag
      .split(" ")
      .map((_, at, words) => words.slice(at).join(" "))
      .slice(1);
  if (!steps.some(({ entry }) => isSetting(entry))) return () => [];
  const making = new Map<string, number[]>();
  for (const { entry } of steps) {
    if (entry.desc !== "TRIGGER" || isSetting(entry)) continue;
    for (const name of endings(entry)) making.set(name, [...(making.get(name) ?? []), entry.dumpId]);
  }
  return (entry) => (isSetting(entry) ? endings(entry).flatMap((name) => making.get(name) ?? []) : []);
}

const scanning = new Set(["INDEX", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "MATERIALIZED VIEW DATA"]);

function goesOverRows(entry: TocEntry): boolean {
  return scanning.has(entry.desc) && !/\bNOT VALID;\s*$/.test(entry.defn ?? "");
}
