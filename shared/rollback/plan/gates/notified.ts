import type { Facts } from "../facts.ts";
import { hours, since, span } from "./age.ts";
import { wordsOf } from "./approved.ts";
import type { GateContext } from "./context.ts";
import { type Finding, failed, passed } from "./finding.ts";

/** A message about this very plan that the team's address took. */
export function judgeTeamNotified(facts: Facts, context: GateContext): Finding {
  const { policy, hash } = context;
  const { notifications, now } = facts.evidence;
  const next = `Tell them: belay notify ${wordsOf(facts, context)}.`;
  const sent = notifications.filter(({ sentAt }) => since(sentAt, now) <= hours(policy.notification.maxAgeHours));
  const own = sent.find(({ planHash }) => planHash === hash);
  if (own !== undefined)
    return passed(
      `${own.address} took the message ${span(since(own.sentAt, now))} ago (${own.status}), sent by ${own.actor}`,
    );
  if (sent.length > 0)
    return failed(`the team was told of another plan (${sent[0]!.planHash.slice(0, 12)}…), which does not count`, next);
  return failed(
    notifications.length > 0
      ? `the last message is older than ${policy.notification.maxAgeHours} hours`
      : "no message to the team about this plan is on record",
    next,
  );
}
