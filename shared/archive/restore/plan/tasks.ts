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
  return steps.map((step) => {
    const { entry } = step;
    const dependencies = [...new Set(entry.dependencies)];
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

const scanning = new Set(["INDEX", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "MATERIALIZED VIEW DATA"]);

function goesOverRows(entry: TocEntry): boolean {
  return scanning.has(entry.desc) && !/\bNOT VALID;\s*$/.test(entry.defn ?? "");
}
