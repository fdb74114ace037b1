import { listed } from "../../words.ts";
import type { Preserved } from "../types.ts";
import type { UndoPlan } from "./plan-types.ts";
import { isEmptyScope } from "./undo-archive.ts";
import type { UndoFacts } from "./undo-facts.ts";

/** Tables and types that a quarantine still holds. */
export function movedBack({ kept }: UndoFacts["work"]): Preserved["kept"] {
  if (!kept?.standing || kept.mode !== "quarantine") return [];
  return kept.kept.filter(({ kind }) => kind !== "sequence");
}

function movedSteps(work: UndoFacts["work"]): UndoPlan["steps"] {
  const moved = movedBack(work);
  if (moved.length === 0) return [];
  const names = moved.map(({ schema, name }) => `${schema}.${name}`);
  const from = [...new Set(moved.map(({ keptIn }) => keptIn))];
  return [{ name: "move", detail: `move ${listed(names)} back from ${from.join(", ")}, with all rows` }];
}

/** What executing would do, in order; names only. */
export function undoSteps({ work, replaced, scope, locks, request, archive }: UndoFacts): UndoPlan["steps"] {
  const tables = work.manifest?.tables ?? [];
  const written = locks.filter(({ mayChangeRows }) => mayChangeRows).map((each) => `${each.schema}.${each.relation}`);
  const goes = [...replaced.tables, ...replaced.columns].map(({ relation }) => `${relation.schema}.${relation.name}`);
  const loaded = tables.map(({ schema, table, mergesInto }) =>
    mergesInto === null
      ? `${schema}.${table}`
      : `${mergesInto.schema}.${mergesInto.table} (${mergesInto.columns.join(", ")})`,
  );
  const only = request.only ?? [];
  return [
    { name: "record", detail: "write the intent, so that even a killed process leaves a record" },
    ...(archive === null ? [] : [{ name: "verify", detail: `read every byte of ${archive.id} again` }]),
    {
      name: "lock",
      detail: `${written.length === 0 ? "" : `stop writes to ${listed(written)}, then `}plan again and compare`,
    },
    ...(isEmptyScope(scope)
      ? []
      : [
          {
            name: "archive",
            detail: `write ${goes.length === 0 ? "the definitions of what goes" : `${listed(goes)} as they are now`}, and read back every byte`,
          },
        ]),
    ...movedSteps(work),
    {
      name: "schema",
      detail:
        "put objects back by the forward SQL, or from the stored entries: the first that ends at the catalog of before",
    },
    ...(loaded.length === 0
      ? []
      : [{ name: "rows", detail: `load ${listed(loaded)}, and compare counts and digests` }]),
    { name: "guard", detail: "ask the database what really happened, and stop if anything else changed" },
    {
      name: "commit",
      detail:
        only.length > 0
          ? `put on record that ${listed(only)} came back; ${listed(work.migrations)} stay rolled back`
          : `mark ${listed(work.migrations)} applied, keep the tool's tracking table in step, audit`,
    },
  ];
}
