import { listed, plural } from "../../../words.ts";
import type { ChecklistItem, Gate, GateName } from "../../gate-types.ts";
import type { Plan } from "../../types.ts";
import type { Facts } from "../facts.ts";
import { cameAfter } from "../provenance.ts";

/** The five questions of every rollback checklist, answered by gates and verdict: evidence, never a checkbox. */
export function answerChecklist(facts: Facts, gates: readonly Gate[], verdict: Plan["verdict"]): ChecklistItem[] {
  return [
    fromGate("recent_backup", "Is there a recent backup?", gates, "backup_fresh"),
    fromGate("restore_tested", "Was restoring it tested?", gates, "restore_tested"),
    dataExported(facts, gates),
    otherWay(facts, gates, verdict),
    fromGate("team_told", "Does the team know?", gates, "team_notified"),
  ];
}

function fromGate(id: ChecklistItem["id"], question: string, gates: readonly Gate[], from: GateName): ChecklistItem {
  const { state, evidence } = gateOf(gates, from);
  const answer = state === "passed" ? "yes" : state === "failed" ? "no" : "unknown";
  return { id, question, answer, evidence, from: `gate ${from}` };
}

/** The rollback's own archive answers: it is written and read back before anything goes, or nothing runs. */
function dataExported({ losses, effect, alsoArchived }: Facts, gates: readonly Gate[]): ChecklistItem {
  const item = { id: "data_exported", question: "Is the data exported?" } as const;
  const names = [
    ...losses.tables.map((each) => `${each.schema}.${each.table}`),
    ...losses.columns.map((each) => `${each.schema}.${each.table} (${each.columns.join(", ")})`),
    ...losses.sequences.map((each) => `sequence ${each.schema}.${each.name}`),
    ...alsoArchived.map((each) => `${each.schema}.${each.table}`),
  ];
  const inTheWay = (["supported", "store", "undoable"] as const)
    .map((name) => gateOf(gates, name))
    .find(({ state }) => state === "failed");
  if (inTheWay !== undefined && (names.length > 0 || effect.opaque.length > 0))
    return { ...item, answer: "no", evidence: inTheWay.evidence, from: `gate ${inTheWay.name}` };
  if (names.length === 0 && effect.opaque.length === 0)
    return { ...item, answer: "yes", evidence: "nothing is lost that would have to be", from: "archive" };
  const what = names.length === 0 ? "what the execution guard finds destroyed" : listed(names);
  return {
    ...item,
    answer: "yes",
    evidence: `the rollback itself writes ${what} to ${gateOf(gates, "store").evidence} and reads back every byte before COMMIT; without that nothing runs`,
    from: "archive",
  };
}

function otherWay(facts: Facts, gates: readonly Gate[], verdict: Plan["verdict"]): ChecklistItem {
  const item = { id: "no_other_way", question: "Is there no other way?", from: "verdict" } as const;
  const evidence = reasonsFor(facts, gates, verdict);
  if (verdict !== "roll_back") return { ...item, answer: "no", evidence };
  return { ...item, answer: facts.provenance.known ? "yes" : "unknown", evidence };
}

/** Why the verdict is what it is. */
export function reasonsFor(facts: Facts, gates: readonly Gate[], verdict: Plan["verdict"]): string {
  const { provenance, losses, together, part } = facts;
  const it = together.length > 1 ? "these migrations" : facts.migration.name;
  if (verdict === "restore_backup")
    return `restore a backup: ${it} itself dropped ${listed(provenance.removedTables)}, and no rollback SQL has the rows`;
  if (verdict === "fix_forward") {
    const failed = (["rollback_sql", "syntax", "transactional", "undoable", "supported"] as const)
      .map((name) => gateOf(gates, name))
      .find(({ state }) => state === "failed");
    const why =
      failed?.evidence ??
      `the rollback SQL takes what others made: ${listed(provenance.overreach.filter(({ why }) => why !== cameAfter).map(({ what }) => what))}`;
    return `fix forward: ${why}`;
  }
  if (verdict === "roll_back_application_only") {
    const rows = [...losses.tables, ...losses.columns].reduce((sum, each) => sum + each.rows, 0);
    return `roll back the application only: ${it} only added objects, which an older version of the application does not see, and ${plural(rows, "row")} would go`;
  }
  if (verdict === "roll_back_part" && part !== null)
    return `roll back a part: ${listed(part.migrations)} can go; ${part.stopsAt} cannot: ${part.why}`;
  if (!provenance.known) return "what the migration made is not known, so neither is whether it could stay";
  return provenance.additive
    ? "rolling back takes nothing that holds data"
    : `${it} changed what was there before, so that leaving it in place is no way back`;
}

function gateOf(gates: readonly Gate[], name: GateName): Gate {
  return gates.find((gate) => gate.name === name)!;
}
