import { existsSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "../corpora.ts";

/** What was measured of a published migration with stock pg_dump and psql, as its corpus' verdicts.tsv says. */
export interface Measured {
  readonly migration: string;
  readonly verdict: string;
  readonly reason: string;
  readonly classes: readonly string[];
  /** Rows that stood before the migration: kept, changed, or a script that failed; null: not measured. */
  readonly before: MeasuredRows | null;
  /** Rows that stood after it. */
  readonly since: MeasuredRows | null;
}

export interface MeasuredRows {
  readonly state: "kept" | "lost" | "up-fails" | "down-fails";
  /** `schema.table` for whole rows, `schema.table.column` for values. */
  readonly objects: readonly string[];
  readonly text: string;
}

/** Reads verdicts.tsv; null where a folder has none. */
export function readMeasured(folder: string): Map<string, Measured> | null {
  const file = join(folder, "verdicts.tsv");
  if (!existsSync(file)) return null;
  return new Map(readTable(file).map((row) => [row.migration!, asMeasured(row)]));
}

function asMeasured(row: Record<string, string | undefined>): Measured {
  return {
    migration: row.migration!,
    verdict: row.verdict!,
    reason: row.reason ?? "",
    classes: (row.classes ?? "").split(",").filter((each) => each !== "" && each !== "up changes no schema"),
    before: asRows(row.rows_before_up ?? "", row.rows_before_up_lost ?? ""),
    since: asRows(row.rows_after_up ?? "", row.rows_after_up_destroyed ?? ""),
  };
}

function asRows(state: string, objects: string): MeasuredRows | null {
  if (state === "") return null;
  const failed = state.match(/^(up-fails|down-fails)/)?.[1] as MeasuredRows["state"] | undefined;
  const text = `${state} ${objects}`.trim();
  return { state: failed ?? (state === "kept" ? "kept" : "lost"), objects: objectsOf(objects), text };
}

/** Reads `public.a: all 2 rows; public.b: column x, y; public.c: values of z`. */
function objectsOf(text: string): string[] {
  const objects = text.split(";").flatMap((each) => {
    const [, table, what] = each.trim().match(/^([^:]+): (.*)$/) ?? [];
    if (table === undefined || what === undefined) return [];
    if (/ rows$/.test(what)) return [table];
    const columns = what.replace(/^(columns?|values of) /, "").split(/,\s*/);
    return columns.map((column) => `${table}.${column}`);
  });
  return [...new Set(objects)].sort();
}
