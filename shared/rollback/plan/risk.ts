import type { Gate, Plan, Risk } from "../types.ts";
import type { Facts } from "./facts.ts";

export interface RiskVerdict {
  readonly risk: Risk;
  readonly reasons: string[];
}

const order: readonly Risk[] = ["LOW", "MEDIUM", "HIGH"];
/** A lock that stops readers matters from this size on. */
const largeTableBytes = 1_000_000_000;

/** How bad it would be if this went wrong, with every reason of the highest level first. */
export function judgeRisk(facts: Facts): RiskVerdict {
  const reasons: [Risk, string][] = [...lossReasons(facts), ...effectReasons(facts), ...trafficReasons(facts)];
  const risk = reasons.reduce<Risk>(
    (worst, [level]) => (order.indexOf(level) > order.indexOf(worst) ? level : worst),
    "LOW",
  );
  reasons.sort((a, b) => order.indexOf(b[0]) - order.indexOf(a[0]));
  return { risk, reasons: reasons.length > 0 ? reasons.map(([, reason]) => reason) : ["nothing is lost"] };
}

function lossReasons({ losses }: Facts): [Risk, string][] {
  const full = losses.tables.filter((each) => each.rows > 0);
  const filled = losses.columns.filter((each) => each.rows > 0);
  const empty = losses.tables.length + losses.columns.length - full.length - filled.length;
  const reasons: [Risk, string][] = [];
  if (full.length > 0) {
    const rows = full.reduce((sum, each) => sum + each.rows, 0);
    const about = full.some((each) => !each.exact) ? "about " : "";
    reasons.push(["HIGH", `${about}${rows.toLocaleString("en-US")} rows of ${plural(full.length, "table")} go`]);
  }
  if (filled.length > 0) {
    const rows = filled.reduce((sum, each) => sum + each.rows, 0);
    reasons.push([
      "HIGH",
      `values of ${plural(
        filled.reduce((sum, each) => sum + each.columns.length, 0),
        "column",
      )} in ${rows.toLocaleString("en-US")} rows go`,
    ]);
  }
  const written = losses.tables.filter((each) => (each.writtenSince ?? 0) > 0).length;
  if (written > 0)
    reasons.push([
      "HIGH",
      `${plural(written, "table")} ${written === 1 ? "was" : "were"} written to since the migration was applied`,
    ]);
  if (empty > 0)
    reasons.push(["MEDIUM", `${plural(empty, "table or column set", "tables or column sets")} without data go`]);
  return reasons;
}

const guarding = new Set(["POLICY", "ROW SECURITY", "ACL"]);
const checking = new Set(["CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER"]);

function effectReasons({ effect, provenance, losses, prepared }: Facts): [Risk, string][] {
  const reasons: [Risk, string][] = [];
  if (provenance.overreach.length > 0) reasons.push(["HIGH", "it destroys what the migration did not make"]);
  if (!provenance.known && prepared.statements > 0)
    reasons.push(["MEDIUM", "without snapshots it is not known what the migration made"]);
  if (effect.opaque.length > 0)
    reasons.push(["MEDIUM", `the effect of ${plural(effect.opaque.length, "statement")} shows only when it runs`]);
  const lost = new Set(losses.tables.map((each) => `${each.schema} ${each.table}`));
  const survivors = effect.objects.filter(
    (each) => each.change === "destroyed" && !lost.has(`${each.schema} ${each.name.split(" ")[0]}`),
  );
  const exposed = survivors.filter((each) => guarding.has(each.kind)).length;
  if (exposed > 0)
    reasons.push([
      "MEDIUM",
      `${plural(exposed, "policy or grant", "policies or grants")} of what stays go: check who may read it then`,
    ]);
  const loosened = survivors.filter((each) => checking.has(each.kind)).length;
  if (loosened > 0)
    reasons.push([
      "MEDIUM",
      `${plural(loosened, "constraint or trigger", "constraints or triggers")} of what stays go`,
    ]);
  const used = survivors.filter((each) => /VIEW|FUNCTION|PROCEDURE|AGGREGATE/.test(each.kind)).length;
  if (used > 0)
    reasons.push(["MEDIUM", `${plural(used, "view or function", "views or functions")} that applications may use go`]);
  return reasons;
}

function trafficReasons({ locks, blockers, losses }: Facts): [Risk, string][] {
  const reasons: [Risk, string][] = [];
  const large = losses.tables.filter((each) => each.bytes > largeTableBytes).length;
  if (large > 0) reasons.push(["MEDIUM", `${plural(large, "table")} above 1 GB must be archived under lock`]);
  if (blockers.length > 0) reasons.push(["MEDIUM", `${plural(blockers.length, "session")} hold locks in the way now`]);
  const parents = locks.filter((each) => each.because.startsWith("foreign-key parent")).length;
  if (parents > 0) reasons.push(["LOW", `${plural(parents, "foreign-key parent")} that stay are locked for a moment`]);
  return reasons;
}

/** The one recommendation, from gates and losses. */
export function judgeVerdict(facts: Facts, gates: readonly Gate[], risk: Risk): Plan["verdict"] {
  const stands = (name: Gate["name"]) => gates.find((gate) => gate.name === name)?.state === "failed";
  const lost = facts.losses.tables.some((each) => each.rows > 0) || facts.losses.columns.some((each) => each.rows > 0);
  if (facts.provenance.removedTables.length > 0) return "restore_backup";
  const cannot: Gate["name"][] = ["rollback_sql", "syntax", "transactional", "provenance", "undoable", "supported"];
  if (cannot.some(stands)) return "fix_forward";
  if (risk === "HIGH" && lost && facts.provenance.additive) return "roll_back_application_only";
  return "roll_back";
}

function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
