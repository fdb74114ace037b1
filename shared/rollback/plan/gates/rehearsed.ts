import type { Facts } from "../facts.ts";
import type { ProofFact } from "../gate-facts.ts";
import { days, since, span } from "./age.ts";
import type { GateContext } from "./context.ts";
import { type Finding, failed, passed } from "./finding.ts";

/** A proof of this very forward and rollback SQL, for every migration that goes. */
export function judgeRehearsed({ evidence }: Facts, { policy }: GateContext): Finding {
  const found = evidence.rehearsals.map((each) =>
    judgeOne(each.migration, each.proof, each.otherText, evidence.now, policy),
  );
  const next = "Rehearse it on a scratch server: belay prove --record.";
  const wrong = found.filter(({ ok }) => !ok);
  if (wrong.length > 0) return failed(wrong.map(({ text }) => text).join("; "), next);
  return passed(found.map(({ text }) => text).join("; "));
}

function judgeOne(
  migration: string,
  proof: ProofFact | null,
  otherText: boolean,
  now: string,
  { rehearsal }: GateContext["policy"],
): { ok: boolean; text: string } {
  if (proof === null)
    return {
      ok: false,
      text: otherText
        ? `${migration} was rehearsed with another text of its SQL, which does not count`
        : `no rehearsal of ${migration} is on record`,
    };
  const age = since(proof.at, now);
  const text = `${migration}: ${proof.verdict}, ${span(age)} ago`;
  if (!rehearsal.accept.includes(proof.verdict))
    return { ok: false, text: `${text}; the policy takes ${rehearsal.accept.join(" or ")}` };
  if (rehearsal.maxAgeDays !== null && age > days(rehearsal.maxAgeDays))
    return { ok: false, text: `${text}, more than the policy's ${rehearsal.maxAgeDays} days` };
  return { ok: true, text };
}
