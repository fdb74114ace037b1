import { planHash } from "../../shared/rollback/plan/hash.ts";
import { type Policy, policyGates } from "../../shared/rollback/plan/policy.ts";
import { windowText } from "../../shared/rollback/plan/windows.ts";
import { paint } from "../terminal.ts";
import { hang, table } from "./wrap.ts";

/** The policy in effect, for people. */
export function renderPolicy(policy: Policy, file: string | null, width: number): string[] {
  const { backup, drill, rehearsal, approvals, maintenanceWindows, waivers, growth } = policy;
  const { maintenance, hooks, health } = policy;
  const rows = policyGates.map((gate) => {
    const { LOW, MEDIUM, HIGH } = policy.gates[gate];
    return [gate, LOW, MEDIUM, HIGH, waivers.gates.includes(gate) ? "yes" : "no"];
  });
  const field = (name: string, text: string) => hang(`  ${name.padEnd(20)}`, text, width);
  const approver = approvals.from.map((kind) =>
    kind === "users" ? "signed-in users with the role approver" : rolesText(policy),
  );
  return [
    paint("bold", `Policy: ${file ?? "Belay's default (no belay.policy.json here)"}`),
    `  Digest ${planHash(policy)}`,
    ...table(["gate", "LOW", "MEDIUM", "HIGH", "waivable"], rows, width - 2).map((line) => `  ${line}`),
    "",
    ...field("Backup", `at most ${backup.maxAgeHours} hours old`),
    ...(backup.external === null ? [] : field("", `${backup.external.by} says: ${backup.external.statement}`)),
    ...field("Drill", `passed within ${drill.maxAgeDays} days`),
    ...field("Rehearsal", rehearsal.accept.join(" or ")),
    ...field(
      "Approval",
      `${approvals.persons} besides the one who rolls back, within ${approvals.maxAgeHours} hours: ${approver.join(", or ")}`,
    ),
    ...field(
      "Maintenance windows",
      maintenanceWindows.length === 0 ? "none set" : maintenanceWindows.map(windowText).join("; "),
    ),
    ...field(
      "Waivers",
      waivers.persons === 1 ? "by whoever rolls back, with a reason" : `need ${waivers.persons - 1} approval too`,
    ),
    ...field("Maintenance", maintenance.use === "always" ? `always: ${maintenance.message}` : "with --maintenance"),
    ...field(
      "Before hook",
      `${hooks.onBeforeFailure === "stop" ? "stops the rollback" : "is passed by"} when nobody takes it within ${hooks.totalMs / 1000} s`,
    ),
    ...field(
      "Health checks",
      health.checks.length === 0
        ? "none but those of BELAY_HEALTH_URL"
        : `${health.checks.map(({ name }) => name).join(", ")}; one that fails since the rollback ${health.onFailure === "undo" ? "undoes it" : "is reported"}`,
    ),
    ...field(
      "Growth",
      `${growth.rows.toLocaleString("en-US")} rows or ${growth.percent} %, whichever is more, between plan and execution`,
    ),
    ...field("Preserve", `${policy.preserve.mode}; what is kept in the database: ${policy.preserve.days} days`),
    "",
    "  The other gates always count: status, rollback_sql, syntax, transactional, dependents, supported, store, reason.",
  ];
}

function rolesText({ approvals }: Policy): string {
  return approvals.databaseRoles === null
    ? "another database role"
    : `database role ${approvals.databaseRoles.join(" or ")}`;
}
