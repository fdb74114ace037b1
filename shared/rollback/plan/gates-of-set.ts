import { listed } from "../../words.ts";
import type { Gate } from "../types.ts";
import type { Facts } from "./facts.ts";

type Finding = Pick<Gate, "state" | "evidence" | "next">;

/** The facts as if one unit of the set were all, for gates that look at one rollback SQL. */
export function unitView(facts: Facts, index: number): Facts {
  const unit = facts.units[index]!;
  const { migration, prepared, syntax, checkout } = unit;
  const together = unit.together.map(({ name, status }) => ({ name, status }));
  return { ...facts, units: [unit], migration, together, prepared, syntax, checkout };
}

/** Judges each rollback SQL of a set alone: it fails when one does, and passes when all do. */
export function eachUnit(judge: (facts: Facts) => Finding): (facts: Facts) => Finding {
  return (facts) => {
    if (facts.units.length < 2) return judge(facts);
    const findings = facts.units.map((unit, index) => ({ unit, finding: judge(unitView(facts, index)) }));
    const worst = (["failed", "unknown", "not_available"] as const).find((state) =>
      findings.some(({ finding }) => finding.state === state),
    );
    const telling = findings.filter(({ finding }) => finding.state === (worst ?? "passed"));
    const named = telling.map(({ unit, finding }) => ({
      ...finding,
      evidence: finding.evidence.includes(unit.migration.name)
        ? finding.evidence
        : `${unit.migration.name}: ${finding.evidence}`,
    }));
    const next = [...new Set(named.flatMap((finding) => finding.next ?? []))];
    return {
      state: worst ?? "passed",
      evidence: listed(
        named.map((finding) => finding.evidence),
        worst === "failed" ? named.length : 3,
        "; ",
      ),
      next: next.length === 0 ? null : next.join("\n"),
    };
  };
}

/** Who goes, as the subject of a sentence: a name, or how many. */
export function subjectOf({ units, migration, together }: Facts): string {
  return units.length < 2 ? migration.name : `these ${together.length} migrations`;
}

/** `line 3`, or `file.sql:3` where several files are at work. */
export function placeOf(facts: Facts, { file, line }: { readonly file?: string; readonly line: number }): string {
  return facts.units.length < 2 || file === undefined ? `line ${line}` : `${file}:${line}`;
}
