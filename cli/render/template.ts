import type { TemplateProposal } from "../../shared/migrations/template/propose.ts";
import { mark, paint } from "../terminal.ts";
import type { WrittenRollback } from "../write-rollback.ts";
import { diffLines } from "./diff.ts";
import { hang } from "./wrap.ts";

const fine = new Set<TemplateProposal["state"]>(["proved", "column_order"]);

/** What a person sees of a proposal; `whole` shows the SQL too. */
export function templateLines(proposal: TemplateProposal, width: number, whole: boolean): string[] {
  const { state, migration, message, risk, riskReasons, text } = proposal;
  const sign = fine.has(state) ? mark.yes() : mark.open();
  const lists = [
    ["loses: ", proposal.destroys],
    ["not brought back: ", proposal.notBroughtBack],
    ["fails on rows: ", proposal.failsOn],
    ["differs: ", proposal.differences],
  ] as const;
  return [
    `${sign} ${paint("bold", migration)}: ${state.replaceAll("_", " ")}`,
    ...hang("  ", message, width),
    ...(risk === null ? [] : hang("  ", `risk ${risk}: ${riskReasons.join("; ")}`, width)),
    ...lists.flatMap(([title, lines]) => lines.flatMap((line) => hang(`  ${title}`, line, width))),
    ...(whole && text !== null ? ["", text.trimEnd(), ""] : []),
  ];
}

/** What became of a proposal's file, and what to do next. */
export function writtenLines({ migration, state, file, old, next }: WrittenRollback, directory: string, width: number) {
  if (state === "unchanged") return [`  ${file} holds it already`];
  if (state === "exists")
    return [
      `  ${mark.no()} ${file} holds other rollback SQL, and was left as it is; --force writes this over it:`,
      ...diffLines(old ?? "", next).map((line) => `    ${line}`),
    ];
  return [
    `  ${mark.yes()} written to ${file}, and read again`,
    ...hang("  next: ", `belay prove ${directory} --only ${migration}`, width),
    ...hang("  where it is applied already: ", `belay register ${migration} --accept`, width),
  ];
}
