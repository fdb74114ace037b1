import type { Plan } from "../types.ts";

/** The totals that a person looks at first. */
export interface LossCard {
  readonly rows: number;
  /** False: at least one table was estimated. */
  readonly exact: boolean;
  readonly bytes: number;
  readonly tables: number;
  readonly columns: number;
  readonly sequences: number;
  /** Rows of tables that are archived on request besides: which of them go is not told. */
  readonly rowsArchivedToo: number;
  /** Objects that go, by kind. */
  readonly objects: Readonly<Record<string, number>>;
}

/** Sums up what a plan destroys; bytes are those of whole tables. */
export function lossCard({ effect, alsoArchived }: Plan): LossCard {
  const objects: Record<string, number> = {};
  for (const { kind, change } of effect.objects) if (change === "destroyed") objects[kind] = (objects[kind] ?? 0) + 1;
  return {
    rows: effect.tables.reduce((sum, each) => sum + each.rows, 0),
    exact: [...effect.tables, ...effect.columns].every((each) => each.exact),
    bytes: effect.tables.reduce((sum, each) => sum + each.bytes, 0),
    tables: effect.tables.length,
    columns: effect.columns.reduce((sum, each) => sum + each.columns.length, 0),
    sequences: effect.sequences.length,
    rowsArchivedToo: alsoArchived.reduce((sum, each) => sum + each.rows, 0),
    objects,
  };
}
