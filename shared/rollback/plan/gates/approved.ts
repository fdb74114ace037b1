import { qualified } from "../../../catalog/identifiers.ts";
import { plural } from "../../../words.ts";
import type { Facts } from "../facts.ts";
import type { ApprovalFact, GateFacts } from "../gate-facts.ts";
import { approvedGrowth } from "../growth.ts";
import { maybeSamePerson, type Person, personText } from "../people.ts";
import { archiveWords, targetWords } from "../target.ts";
import { hours, since, span } from "./age.ts";
import type { GateContext } from "./context.ts";
import { type Finding, failed, passed } from "./finding.ts";

/** The actor where no setting names one (shared/config.ts). */
const unnamed = "unknown";

/** Approvals of this very plan by enough persons, none of them the one who rolls back. */
export function judgeApproved(facts: Facts, context: GateContext): Finding {
  return judgeApprovals(facts.evidence, context, {
    words: wordsOf(facts, context),
    path: "/rollbacks/plans/approve",
  });
}

/** The same for whatever may be approved; `words`: of `belay approve`, `path`: where signed-in users approve it. */
export function judgeApprovals(
  { approvals, executor, now }: Pick<GateFacts, "approvals" | "executor" | "now">,
  context: GateContext,
  how: { readonly words: string; readonly path: string },
): Finding {
  const needed = personsNeeded(context);
  const counted: ApprovalFact[] = [];
  const refused: string[] = [];
  for (const approval of approvals) {
    const why = whyNot(approval, executor, counted, now, context);
    if (why === null) counted.push(approval);
    else refused.push(`${personText(approval)}: ${why}`);
  }
  const text = counted
    .map((each) => `${personText(each)}, ${span(since(each.at, now))} ago: ${each.reason}`)
    .join("; ");
  if (counted.length >= needed) return passed(`approved by ${text}`);
  const doNotCount = [...new Set(refused)].slice(0, 3).map((each) => `; not counted: ${each}`);
  return failed(
    `${counted.length === 0 ? "no approval" : `only ${plural(counted.length, "approval")} (${text})`} of this plan by ${needed === 1 ? "a second person" : `${needed} other persons`}${doNotCount.join("")}`,
    nextFor(how, context),
  );
}

/** Persons besides the one who rolls back; more where the policy wants others to agree to a waiver. */
export function personsNeeded({ policy, waive }: Pick<GateContext, "policy" | "waive">): number {
  const forWaivers = waive.length > 0 ? policy.waivers.persons - 1 : 0;
  return Math.max(policy.approvals.persons, forWaivers);
}

function whyNot(
  approval: ApprovalFact,
  executor: Person,
  counted: readonly Person[],
  now: string,
  { policy, hash, rows }: GateContext,
): string | null {
  const { from, databaseRoles, maxAgeHours } = policy.approvals;
  if (approval.planHash !== hash)
    return `of another plan (${approval.planHash.slice(0, 12)}…): the plan changed since, or has other waivers or another policy`;
  if (since(approval.at, now) > hours(maxAgeHours)) return `older than ${maxAgeHours} hours`;
  if (maybeSamePerson(approval, executor)) return whySame(approval, executor);
  if (counted.some((other) => maybeSamePerson(other, approval) || maybeSamePerson(approval, other)))
    return "counted once already";
  if (!from.includes(approval.subject === null ? "database_roles" : "users"))
    return `the policy takes approvals of ${from.join(" and ").replace("_", " ")} only`;
  if (approval.subject !== null && approval.approverNow === false) return "no longer has the role approver";
  if (approval.subject === null && databaseRoles !== null && !databaseRoles.includes(approval.databaseRole))
    return `database role ${approval.databaseRole} may not approve, by the policy`;
  if (rows > approvedGrowth(approval.rows, policy))
    return `${plural(approval.rows, "row")} would have gone then, ${plural(rows, "row")} now`;
  return null;
}

function nextFor({ words, path }: { words: string; path: string }, { policy, hash }: GateContext): string {
  const { from } = policy.approvals;
  const ways = [
    ...(from.includes("database_roles")
      ? [`run, with a database role of their own, belay approve ${words} --plan ${hash}`]
      : []),
    ...(from.includes("users") ? [`send POST ${path} as a user with the role approver`] : []),
  ];
  const alone = policy.waivers.gates.includes("approved") && policy.waivers.persons === 1;
  return `Have a second person ${ways.join(", or ")}.${alone ? "\nAlone and in need: --waive approved, on record with your name and reason." : ""}`;
}

function whySame(approval: Person, executor: Person): string {
  if (approval.actor === unnamed && executor.actor === unnamed)
    return "neither of the two is named, so it may be the same person: set --actor (BELAY_ACTOR) on both sides";
  if (approval.subject !== null || approval.databaseRole !== executor.databaseRole)
    return "the same person as the one who rolls back";
  return "from behind the same database role as the one who rolls back, so it may be the same person";
}

/** What was asked for as words of the command line: all of it is part of the plan. */
export function wordsOf(
  { asked, alsoArchived, preserve }: Pick<Facts, "asked" | "alsoArchived" | "preserve">,
  { waive, policy }: Pick<GateContext, "waive" | "policy">,
): string {
  return [
    targetWords(asked),
    archiveWords(alsoArchived.map(({ schema, table }) => qualified(schema, table))),
    ...(preserve.mode === policy.preserve.mode ? [] : [`--preserve ${preserve.mode}`]),
    ...waive.map((gate) => `--waive ${gate}`),
  ]
    .filter((word) => word !== "")
    .join(" ");
}
