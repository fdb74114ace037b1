import { listed, plural } from "../../words.ts";
import { judgeApprovals } from "../plan/gates/approved.ts";
import type { GateContext } from "../plan/gates/context.ts";
import { type Finding, failed, notAvailable, passed } from "../plan/gates/finding.ts";
import { judgeMaintenanceWindow } from "../plan/gates/window.ts";
import { blocks } from "../plan/gates.ts";
import { undoCommand } from "./command.ts";
import type { UndoConflict, UndoGate, UndoGateName } from "./plan-types.ts";
import type { UndoFacts } from "./undo-facts.ts";

/** Every gate of an undo with its evidence, in the order in which they are shown. */
export function judgeUndoGates(facts: UndoFacts, context: GateContext): UndoGate[] {
  const findings: Record<UndoGateName, Finding> = {
    status: judgeStatus(facts),
    order: judgeOrder(facts),
    archive: judgeArchive(facts),
    conflicts: judgeConflicts(facts),
    reason: judgeReason(facts),
    approved: judgeApprovals(facts.evidence, context, {
      words: undoCommand(facts.request, facts.found.rollbackId, "--undo "),
      path: `/rollbacks/rollbacks/${facts.found.rollbackId}/undo/approve`,
    }),
    maintenance_window: judgeMaintenanceWindow(facts, context),
  };
  return (Object.keys(findings) as UndoGateName[]).map((name) => {
    const { later = false, waiver = null, ...finding } = findings[name];
    const requirement = requirementOf(name, context);
    return { name, requirement, ...finding, waiver, blocking: !later && blocks(finding.state, requirement) };
  });
}

function requirementOf(name: UndoGateName, { policy, risk }: GateContext): UndoGate["requirement"] {
  return name === "approved" || name === "maintenance_window" ? policy.gates[name][risk] : "always";
}

function judgeStatus({ found, ledger, newer }: UndoFacts): Finding {
  const status = "Look at `belay status`; only the last rollback of a migration can be undone, once.";
  if (found.outcome === "undone")
    return failed(`rollback ${found.rollbackId} of ${found.migration} was undone already`, status);
  const standing = ledger.filter((row) => row.status !== "rolled_back");
  if (standing.length > 0) {
    const words = standing.map(({ migration, status: is }) => `${migration} is ${is}`);
    return failed(`${listed(words)}: its rollback cannot be undone now`, status);
  }
  if (newer !== null)
    return failed(
      `${newer.migration} was rolled back again since, by rollback ${newer.rollbackId}`,
      `Undo that one: belay undo ${newer.rollbackId}`,
    );
  return passed(`rolled back by ${found.actor}, and not undone`);
}

/** What these migrations need has to be back before them. */
function judgeOrder({ needs }: UndoFacts): Finding {
  if (needs.length === 0) return passed("what these migrations need is there");
  const words = needs.map(({ migration, on, rollbackId }) => {
    const by = rollbackId === null ? "" : ` by rollback ${rollbackId}`;
    return `${migration} needs ${on}, which is rolled back${by}`;
  });
  const first = needs.find(({ rollbackId }) => rollbackId !== null);
  const next = first === undefined ? `Apply ${needs[0]!.on} first.` : `Undo that first: belay undo ${first.rollbackId}`;
  return failed(listed(words, 5, "; "), next);
}

function judgeArchive({ found, archive }: UndoFacts): Finding {
  if (archive === null) return passed("nothing had to be archived: what comes back is on record");
  if (archive.problem !== null)
    return failed(archive.problem, found.archiveProblem?.hint ?? `Look closer: belay archives verify ${archive.id}`);
  const verified = archive.verifiedAt === null ? "" : `, every byte read back ${archive.verifiedAt}`;
  return passed(`${archive.id} is there as it was written${verified}; it is read again before anything is locked`);
}

function judgeConflicts({ conflicts }: UndoFacts): Finding {
  const open = conflicts.filter(({ discarded }) => !discarded);
  const passedOver = conflicts.length - open.length;
  const noted = passedOver === 0 ? "" : `, but for ${plural(passedOver, "conflict")} whose newer rows are discarded`;
  if (open.length === 0) return passed(`nothing is newer than the rollback and in the way${noted}`);
  const words = open.map(({ what, by }) => (by === null ? what : `${what} (${by})`));
  return failed(listed(words, 8, "; "), nextFor(open));
}

function nextFor(open: readonly UndoConflict[]): string {
  const tables = [...new Set(open.flatMap(({ discard }) => discard ?? []))];
  const settle = "Settle these by hand, or restore the archive beside them with pg_restore.";
  if (tables.length === 0) return settle;
  const flags = tables.map((table) => `--discard-newer ${table}`).join(" ");
  return `To archive what is newer and undo over it: ${flags}\n${open.every(({ discard }) => discard !== null) ? "Or settle it by hand." : settle}`;
}

function judgeReason({ request }: UndoFacts): Finding {
  if (request.reason === undefined) return { ...notAvailable("asked for when the undo is executed"), later: true };
  return request.reason.trim() === ""
    ? failed("no reason is given", "Say why: --reason TEXT. It goes on record.")
    : passed(request.reason.trim());
}
