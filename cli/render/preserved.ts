import type { Plan, RollbackReport } from "../../shared/rollback/types.ts";
import { moment, paint } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang, table } from "./wrap.ts";

const headings = {
  quarantine: "What is moved, and stays in the database",
  copy: "What is copied, and stays in the database too",
} as const;

/** What a rollback would keep in the database: where and until when, and what it would archive instead. */
export function renderPreserve({ preserve }: Plan, width: number): string[] {
  const { mode, kept, notes, days } = preserve;
  if (mode === "archive") return [];
  const rows = kept
    .filter(({ kind }) => kind !== "sequence")
    .map((each) => [each.kind, printable(`${each.schema}.${each.name}`), printable(`${each.keptIn}.${each.as}`)]);
  return [
    "",
    paint("bold", headings[mode]),
    ...(rows.length === 0
      ? ["  nothing"]
      : table(["kind", "is", "will be"], rows, width - 2).map((line) => `  ${line}`)),
    ...(rows.length === 0
      ? []
      : hang(
          "  ",
          `for ${days} days at the least: no application can see it there; then belay quarantine purge takes it out`,
          width,
        )),
    ...notes.flatMap((note) => hang("  note: ", printable(note), width)),
  ];
}

/** What is moved as it is, by `movedName`: it is told of there, and not as destroyed. */
export function movedNames({ mode, kept }: Plan["preserve"]): ReadonlySet<string> {
  return new Set(
    mode === "quarantine" ? kept.flatMap((each) => (each.kind === "columns" ? [] : [movedName(each)])) : [],
  );
}

export function movedName({ kind, schema, name }: { kind: string; schema: string | null; name: string }): string {
  return JSON.stringify([/^domain$/i.test(kind) ? "type" : kind.toLowerCase(), schema, name]);
}

/** What it keeps, in its report. */
export function renderPreserved({ preserved }: RollbackReport, width: number): string[] {
  if (preserved === undefined) return [];
  const how = preserved.mode === "quarantine" ? "moved to" : "copied to";
  const names = preserved.kept.filter(({ kind }) => kind !== "sequence").map(({ schema, name }) => `${schema}.${name}`);
  const text = `${names.join(", ")} ${how} ${preserved.schemas.join(", ")}, until ${moment(preserved.until)} at the least`;
  return hang("  Kept      ", printable(text), width);
}
