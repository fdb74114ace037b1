import type { Drift, DriftObject } from "../../shared/migrations/drift/types.ts";
import { moment, paint } from "../terminal.ts";
import { diffLines } from "./diff.ts";
import { printable } from "./printable.ts";
import { hang } from "./wrap.ts";

const words: Readonly<Record<DriftObject["difference"], string>> = {
  added: "was made by hand",
  missing: "is gone",
  changed: "was changed",
};

/** Objects that differ from the last snapshot, each in a line; with `texts`, what differs in them. */
export function renderDrift({ comparedWith, objects }: Drift, layout: { width: number; texts: boolean }): string[] {
  if (comparedWith === null || objects.length === 0) return [];
  const since = comparedWith.migration === null ? "the first snapshot" : `the snapshot after ${comparedWith.migration}`;
  return [
    paint("bold", `Changed past the migrations, since ${since} of ${moment(comparedWith.takenAt)}`),
    ...objects.flatMap((object) => [
      ...hang("  ~ ", `${printable(object.what)} ${words[object.difference]}`, layout.width),
      ...(layout.texts ? textLines(object) : []),
    ]),
  ];
}

function textLines({ before, after }: DriftObject): string[] {
  const own = (text: string | null) => (text ?? "").trimEnd();
  if (before === null && after === null) return [];
  return diffLines(own(before), own(after)).map((line) => `      ${line}`);
}
