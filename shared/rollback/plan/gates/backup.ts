import { plural } from "../../../words.ts";
import type { Facts } from "../facts.ts";
import type { DrillFact } from "../gate-facts.ts";
import { days, hours, since, span } from "./age.ts";
import type { GateContext } from "./context.ts";
import { type Finding, failed, passed, unknown } from "./finding.ts";

/** The newest whole-database archive of this database, by its snapshot's age. */
export function judgeBackupFresh({ evidence }: Facts, { policy }: GateContext): Finding {
  const { dump, now } = evidence;
  const next = "Take one: belay dump.";
  if (dump.state === "unknown") return stated(policy.backup.external, now) ?? unknown(dump.why, next);
  if (dump.state === "none") return stated(policy.backup.external, now) ?? failed(dump.why, next);
  const age = since(dump.snapshotAt, now);
  const what = `${dump.archiveId} is ${span(age)} old (${plural(dump.tables, "table")}, ${plural(dump.rows, "row")})`;
  if (age <= hours(policy.backup.maxAgeHours)) return passed(what);
  return (
    stated(policy.backup.external, now) ??
    failed(`the newest archive of this database, ${what}, is older than ${policy.backup.maxAgeHours} hours`, next)
  );
}

/** A person's word in the policy for what Belay cannot see: never passed, but waived by that person. */
function stated(external: GateContext["policy"]["backup"]["external"], now: string): Finding | null {
  if (external === null) return null;
  const { by, statement, until } = external;
  if (until !== undefined && now.slice(0, 10) > until) return null;
  return {
    state: "waived",
    evidence: `not seen by Belay; the policy has the word of ${by}: ${statement}`,
    next: null,
    waiver: { by, reason: statement },
  };
}

/** A drill that passed on a whole-database archive, and none since that called the backup bad. */
export function judgeRestoreTested({ evidence }: Facts, { policy }: GateContext): Finding {
  const { drills, dump, now } = evidence;
  const next =
    dump.state === "found"
      ? `Restore it on trial: belay drill ${dump.archiveId}.`
      : "First: belay dump, then belay drill.";
  const bad = drills.find(({ verdict }) => verdict === "backup_bad");
  const good = drills.find(({ verdict }) => verdict === "pass");
  if (bad !== undefined && (good === undefined || bad.finishedAt > good.finishedAt))
    return failed(`the newest drill (${drillText(bad, now)}) said that the backup is bad: ${bad.summary}`, next);
  if (good === undefined)
    return failed(
      drills.length === 0
        ? "no drill of a whole-database archive is on record"
        : `none of the last ${plural(drills.length, "drill")} passed: the newest (${drillText(drills[0]!, now)}) was ${drills[0]!.verdict}`,
      next,
    );
  const text = drillText(good, now);
  if (since(good.finishedAt, now) > days(policy.drill.maxAgeDays))
    return failed(`the last drill that passed (${text}) is older than ${policy.drill.maxAgeDays} days`, next);
  if (dump.state !== "found") return passed(`a drill passed: ${text}`);
  return passed(
    dump.archiveId === good.archiveId
      ? `the newest archive passed its drill: ${text}`
      : `a drill passed on an earlier archive: ${text}`,
  );
}

function drillText({ archiveId, startedAt, finishedAt }: DrillFact, now: string): string {
  return `${archiveId}, ${span(since(finishedAt, now))} ago, in ${span(since(startedAt, finishedAt))}`;
}
