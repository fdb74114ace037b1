import type { RepairEvidence } from "../../shared/migrations/repair/types.ts";
import { listed } from "../../shared/words.ts";
import { paint } from "../terminal.ts";
import { hang } from "./wrap.ts";

const looks = {
  applied: "every object of it is as it leaves them: it looks applied",
  not_applied: "every object of it is as before it: it looks not applied",
  half: "some of its objects are as it leaves them and some are not: it looks half applied",
  unknown: "there are no snapshots that would tell: look for yourself",
} as const;

/** What the database says of a migration whose record is in doubt. */
export function evidenceLines({ migration, status, catalog, tool, settled }: RepairEvidence, width: number): string[] {
  const many = (title: string, keys: readonly string[]) =>
    keys.length === 0 || catalog.looks !== "half" ? [] : hang(`    ${title}: `, listed(keys, 8), width);
  return [
    `${paint("bold", migration)}: ${status.replace("_", " ")} on record`,
    ...hang("  catalog: ", looks[catalog.looks], width),
    ...many("as it leaves them", catalog.asAfter),
    ...many("as before it", catalog.asBefore),
    ...many("as neither", catalog.asNeither),
    ...(tool === null
      ? []
      : [
          `  ${tool.name}: ${tool.table} ${tool.recorded ? "has it" : "does not have it"}${tool.dirty ? ", dirty" : ""}`,
        ]),
    ...settled.map(({ rollbackId, outcome }) => `  rollback ${rollbackId}: ${settledWords[outcome] ?? outcome}`),
  ];
}

const settledWords: Readonly<Record<string, string>> = {
  committed: "it was committed",
  failed: "it was not committed, and changed nothing",
  intended: "it may still be running",
  unknown: "its session may still be there: try again when it is gone",
};
