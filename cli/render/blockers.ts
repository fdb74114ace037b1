import type { Plan } from "../../shared/rollback/types.ts";
import { mark, paint } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang } from "./wrap.ts";

type Blocker = Plan["blockers"][number];

/** Who it is, how long it has been there, and what it does. */
export function blockerWords(blocker: Blocker): string {
  const { kind, pid, gid, role, application, state, ageSeconds, queryAgeSeconds, mode, granted, relation } = blocker;
  const who =
    kind === "prepared_transaction"
      ? `prepared transaction ${gid ?? "(name hidden)"} of ${role}`
      : kind === "autovacuum"
        ? `autovacuum (pid ${pid})`
        : `pid ${pid} (${[role || "no role", application, state].filter((each) => each !== "").join(", ")})`;
  const query = blocker.query === "" ? "" : `: ${blocker.query}`;
  const ran =
    queryAgeSeconds === null || query === ""
      ? ""
      : `, ${state === "active" ? "running" : "begun"} ${span(queryAgeSeconds)} ago`;
  return printable(
    `${who} ${granted ? "holds" : "waits for"} ${mode} on ${relation}, open ${span(ageSeconds)}${query}${ran}`,
  );
}

function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** Each blocker, and what can be done about it. */
export function renderBlockers(blockers: readonly Blocker[], width: number): string[] {
  if (blockers.length === 0) return [];
  return [
    "",
    paint("bold", "In the way now"),
    ...blockers.flatMap((blocker) => [
      ...hang(`  ${mark.no()} `, blockerWords(blocker), width),
      ...hang("    → ", next(blocker), width),
    ]),
  ];
}

function next({ kind, pid, gid, state }: Blocker): string {
  if (kind === "prepared_transaction")
    return `Settle it: commit prepared or rollback prepared '${printable(gid ?? "")}'.`;
  if (kind === "autovacuum") return `It gives way by itself, unless it prevents wraparound; else --cancel ${pid}.`;
  if (kind === "background_worker") return "Wait until it is done.";
  return state === "active" ? `Wait, or --cancel ${pid}.` : `Wait, or --terminate ${pid}.`;
}
