import type { GateFacts } from "../gate-facts.ts";
import { windowState, windowText } from "../windows.ts";
import { since, span } from "./age.ts";
import type { GateContext } from "./context.ts";
import { type Finding, failed, notAvailable, passed } from "./finding.ts";

/** Judged by the database's clock, not by the one where the command runs. */
export function judgeMaintenanceWindow(
  { evidence }: { readonly evidence: Pick<GateFacts, "now"> },
  { policy }: Pick<GateContext, "policy">,
): Finding {
  const windows = policy.maintenanceWindows;
  if (windows.length === 0)
    return notAvailable("the policy sets no maintenance windows", "Set maintenanceWindows in the policy file.");
  const { open, changesAt } = windowState(windows, new Date(evidence.now));
  const until = changesAt === null ? null : `${changesAt.toISOString().slice(0, 16)}Z`;
  if (open !== null) return passed(`${windowText(open)} is open${until === null ? "" : ` until ${until}`}`);
  if (changesAt === null) return failed("no maintenance window opens within 15 days", "Look at the policy's windows.");
  return failed(
    `outside of every maintenance window (${windows.map(windowText).join("; ")})`,
    `Wait ${span(since(evidence.now, changesAt.toISOString()))}, until ${until}.`,
  );
}
