import type { Step } from "./types.ts";

/** Steps that follow each other, and the groups of them that know nothing of each other. */
export interface Segment {
  readonly steps: readonly Step[];
  /** Each in its order; together all of `steps`. One group: they stay in order. */
  readonly groups: readonly (readonly Step[])[];
}

/** Kinds of which archives hold many and whose every need is among their dependencies. */
const separable = new Set([
  ...[
    "TABLE",
    "FOREIGN TABLE",
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "DEFAULT",
    "VIEW",
    "MATERIALIZED VIEW",
    "TABLE ATTACH",
  ],
  ...["COMMENT", "SECURITY LABEL", "BLOB"],
]);

/** Fewer are made as fast by one session. */
const fewest = 64;

/** Cuts steps that must come in order into runs of tables and what belongs to them, which may come in groups, and the rest. */
export function segmentsOf(steps: readonly Step[]): Segment[] {
  const runs: Step[][] = [];
  let inRun: boolean | undefined;
  for (const step of steps) {
    const may = separable.has(step.entry.desc);
    if (may !== inRun) runs.push([]);
    inRun = may;
    runs.at(-1)!.push(step);
  }
  return runs.map((run) => {
    const together = run.length < fewest || !separable.has(run[0]!.entry.desc);
    return { steps: run, groups: together ? [run] : groupsOf(run) };
  });
}

/** Steps that depend on each other, directly or through others of the run, are one group. */
function groupsOf(steps: readonly Step[]): Step[][] {
  const leaders = new Map(steps.map(({ entry }) => [entry.dumpId, entry.dumpId]));
  const leaderOf = (id: number): number => {
    let leader = id;
    while (leaders.get(leader) !== leader) leader = leaders.get(leader)!;
    // Shorter for the next one who asks.
    for (let at = id; at !== leader; ) {
      const next = leaders.get(at)!;
      leaders.set(at, leader);
      at = next;
    }
    return leader;
  };
  for (const { entry } of steps)
    for (const needed of entry.dependencies)
      if (leaders.has(needed)) leaders.set(leaderOf(entry.dumpId), leaderOf(needed));
  const groups = new Map<number, Step[]>();
  for (const step of steps) {
    const leader = leaderOf(step.entry.dumpId);
    const group = groups.get(leader);
    if (group === undefined) groups.set(leader, [step]);
    else group.push(step);
  }
  return [...groups.values()];
}
