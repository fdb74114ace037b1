import { listed } from "../../words.ts";
import type { Plan } from "../types.ts";
import type { Facts } from "./facts.ts";

/** What executing would do, in order; names only, no counts, so that the plan's hash stands still. */
export function planSteps({ losses, effect, together, prepared, locks, alsoArchived, preserve }: Facts): Plan["steps"] {
  if (prepared.statements === 0) return [];
  const tables = losses.tables.map((each) => `${each.schema}.${each.table}`);
  const columns = losses.columns.map((each) => `${each.schema}.${each.table} (${each.columns.join(", ")})`);
  const sequences = losses.sequences.map((each) => `sequence ${each.schema}.${each.name}`);
  const asked = alsoArchived.map((each) => `${each.schema}.${each.table}`).filter((name) => !tables.includes(name));
  const archived = [...tables, ...columns, ...sequences, ...asked];
  const written = [...new Set([...tables, ...losses.columns.map((each) => `${each.schema}.${each.table}`), ...asked])];
  const steps = [{ name: "record", detail: "write the intent, so that even a killed process leaves a record" }];
  steps.push({
    name: "lock",
    detail:
      written.length > 0 ? `stop writes to ${listed(written)}, then plan again and compare` : "plan again and compare",
  });
  steps.push({
    name: "archive",
    detail:
      archived.length > 0
        ? `write ${listed(archived)} with their definitions, and read back every byte`
        : "write the definitions of what goes, and read back every byte",
  });
  const copies = preserve.mode === "copy" ? preserve.kept.map((each) => `${each.schema}.${each.name}`) : [];
  if (copies.length > 0)
    steps.push({ name: "copy", detail: `copy what goes of ${listed(copies)} to schema ${preserve.schema}` });
  const exclusive = locks
    .filter((each) => each.mode === "ACCESS EXCLUSIVE")
    .map((each) => `${each.schema}.${each.relation}`);
  steps.push({
    name: "run",
    detail: `run the rollback SQL in the same transaction${exclusive.length > 0 ? `; readers wait on ${listed(exclusive)}` : ""}`,
  });
  const guard =
    effect.opaque.length > 0 ? ", which also settles the statements whose effect the text does not tell" : "";
  const free =
    asked.length > 0
      ? `; ${listed(asked)}, archived on request, may have changed or gone, with what hangs on ${asked.length === 1 ? "it" : "them"}`
      : "";
  steps.push({
    name: "guard",
    detail: `ask the database what really happened, and stop if anything is not archived${guard}${free}`,
  });
  steps.push({ name: "end_state", detail: "compare with the snapshot from before the migration" });
  steps.push({
    name: "commit",
    detail: `mark ${listed(together.map((each) => each.name))} rolled back, keep the tool's tracking table in step, audit`,
  });
  return steps;
}
