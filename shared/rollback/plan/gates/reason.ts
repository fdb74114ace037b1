import type { Facts } from "../facts.ts";
import { type Finding, failed, notAvailable, passed } from "./finding.ts";

export function judgeReason({ reason }: Facts): Finding {
  if (reason === null) return { ...notAvailable("asked for when the rollback is executed"), later: true };
  if (reason.trim() === "") return failed("no reason is given", "Say why: --reason TEXT. It goes on record.");
  return passed(reason.trim());
}
