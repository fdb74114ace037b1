import type { Migration } from "../types.ts";
import type { Script } from "./script.ts";
import type { Subject } from "./subject.ts";

/** What one rollback reverses: one migration, or several that share a rollback file. */
export interface Unit {
  /** In the order of their versions. */
  readonly members: readonly Subject[];
  /** Places of the first and the last member in the folder. */
  readonly first: number;
  readonly last: number;
  /** Forward SQL of the members. */
  readonly ups: readonly Script[];
  readonly down: Script | null;
}

/** The unit of each migration, by its place in the folder. */
export function unitsOf(subjects: readonly Subject[]): Unit[] {
  const groups = Map.groupBy(subjects.keys(), (index) => groupOf(subjects[index]!.migration));
  const units: Unit[] = [];
  for (const places of groups.values()) {
    const members = places.map((index) => subjects[index]!);
    const ups = members.map(({ up }) => up);
    const unit = { members, first: places[0]!, last: places.at(-1)!, ups, down: members.at(-1)!.down };
    for (const index of places) units[index] = unit;
  }
  return units;
}

/** The same for all migrations that one rollback reverses. */
export function groupOf({ name, rollback }: Migration): string {
  const several = rollback !== null && rollback.reverses.length > 1;
  return several ? JSON.stringify([rollback.file, rollback.line, [...rollback.reverses].sort()]) : name;
}

/** Whether other migrations stand between the members: those stay when the unit is rolled back. */
export function isScattered({ members, first, last }: Unit): boolean {
  return last - first + 1 > members.length;
}
