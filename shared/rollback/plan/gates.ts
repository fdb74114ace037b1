import type { Gate, GateName } from "../gate-types.ts";
import type { Facts } from "./facts.ts";
import { judgeApproved } from "./gates/approved.ts";
import { judgeBackupFresh, judgeRestoreTested } from "./gates/backup.ts";
import type { GateContext } from "./gates/context.ts";
import type { Finding } from "./gates/finding.ts";
import { judgeChecksum, judgeDependents, judgeRollbackSql, judgeStatus } from "./gates/ledger.ts";
import { judgeEndState, judgeProvenance, judgeStore, judgeUndoable } from "./gates/loss.ts";
import { judgeTeamNotified } from "./gates/notified.ts";
import { judgeReason } from "./gates/reason.ts";
import { judgeRehearsed } from "./gates/rehearsed.ts";
import { judgeSupported, judgeSyntax, judgeTransactional } from "./gates/sql.ts";
import { judgeMaintenanceWindow } from "./gates/window.ts";
import { eachUnit } from "./gates-of-set.ts";
import { type Policy, type PolicyGate, policyGates } from "./policy.ts";

type Judge = (facts: Facts, context: GateContext) => Finding;

const judges: Readonly<Record<GateName, Judge>> = {
  status: eachUnit(judgeStatus),
  rollback_sql: eachUnit(judgeRollbackSql),
  syntax: eachUnit(judgeSyntax),
  transactional: eachUnit(judgeTransactional),
  checksum: eachUnit(judgeChecksum),
  dependents: judgeDependents,
  provenance: judgeProvenance,
  undoable: judgeUndoable,
  end_state: judgeEndState,
  supported: judgeSupported,
  store: judgeStore,
  reason: judgeReason,
  backup_fresh: judgeBackupFresh,
  restore_tested: judgeRestoreTested,
  rehearsed: judgeRehearsed,
  team_notified: judgeTeamNotified,
  approved: judgeApproved,
  maintenance_window: judgeMaintenanceWindow,
};

/** Every gate with its evidence, in the order in which they are shown. Without a plan's hash nobody has approved or told. */
export function judgeGates(facts: Facts, policy: Policy, plan: Partial<Omit<GateContext, "policy">> = {}): Gate[] {
  const context: GateContext = { policy, risk: "LOW", hash: "", rows: 0, waive: [], ...plan };
  return (Object.keys(judges) as GateName[]).map((name) => {
    const { later = false, waiver = null, ...finding } = judges[name](facts, context);
    const requirement = requirementOf(name, context);
    return { name, requirement, ...finding, waiver, blocking: !later && blocks(finding.state, requirement) };
  });
}

/** Where a policy wants others to agree to waivers, a plan with waivers needs their approval at every risk. */
function requirementOf(name: GateName, { policy, risk, waive }: GateContext): Gate["requirement"] {
  if (!(policyGates as readonly string[]).includes(name)) return "always";
  if (name === "approved" && waive.length > 0 && policy.waivers.persons > 1) return "required";
  return policy.gates[name as PolicyGate][risk];
}

/** Whether a gate in that state stops the rollback. */
export function blocks(state: Gate["state"], requirement: Gate["requirement"]): boolean {
  if (requirement === "advised" || requirement === "off") return false;
  if (requirement === "required") return state !== "passed" && state !== "waived";
  return state === "failed";
}
