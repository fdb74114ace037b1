import type { LayoutName, LayoutProblem, Migration } from "../types.ts";
import { isPlainLayout } from "./plain-names.ts";
import type { Sign } from "./signs.ts";
import { problemAt } from "./source.ts";

/** A problem for every file that is no migration, no rollback of one and in no other problem: nothing is left out silently. */
export function leftOut(
  signs: readonly Sign[],
  layout: LayoutName,
  migrations: readonly Migration[],
  told: readonly LayoutProblem[],
): LayoutProblem[] {
  const used = new Set([
    ...migrations.flatMap((one) => [one.file, one.rollback?.file, one.emptyRollback?.file]),
    ...told.map((problem) => problem.place.file),
  ]);
  return signs.filter(({ file }) => !used.has(file.path)).map((sign) => problemOf(sign, layout));
}

function problemOf({ file, layout: own, rollback }: Sign, layout: LayoutName): LayoutProblem {
  const named = own === "plain" ? (rollback ?? (isPlainLayout(layout) ? null : "section")) : own;
  if (named === null) {
    const why = /^\d/.test(file.name)
      ? "lies in a folder below the migrations folder"
      : "has no version at the start of its name";
    const message = `${file.name} ${why} and was left out`;
    return problemAt(file, 1, "left_out", message, "warning");
  }
  const message = `${file.name} was left out: the folder is read as ${layout}, and this file is of layout ${named}. Move it to a folder of its own, or read this one with --layout ${named}`;
  return problemAt(file, 1, "mixed_layout", message);
}
