import { listed, plural } from "../../../words.ts";
import type { Facts } from "../facts.ts";
import { placeOf } from "../gates-of-set.ts";
import { type Finding, failed, notAvailable, passed, unknown } from "./finding.ts";

export function judgeSyntax({ migration, syntax, prepared }: Facts): Finding {
  if (migration.rollbackSql === null) return notAvailable("there is no rollback SQL to parse");
  if (syntax !== null)
    return failed(syntax.message, `Mend the SQL, then belay register ${migration.name} to store the new revision.`);
  return passed(`Postgres' parser reads ${plural(prepared.statements, "statement")}`);
}

export function judgeTransactional({ migration, syntax, prepared }: Facts): Finding {
  if (migration.rollbackSql === null || syntax !== null) return notAvailable("there is no SQL that parses");
  const [first] = prepared.refusals;
  if (first === undefined)
    return passed(
      prepared.rewrites.length === 0 ? "all statements can run in one transaction" : prepared.rewrites.join("; "),
    );
  const all = prepared.refusals.map(
    (each) =>
      `${migration.metadata.rollbackFile ?? migration.sourceFile}:${each.line}: ${each.statement}: ${each.reason}`,
  );
  return failed(all.join("\n"), "Take these statements out of the rollback SQL and run them by hand, apart from it.");
}

export function judgeSupported(facts: Facts): Finding {
  const { effect, unknownKinds, losses } = facts;
  const place = (each: { file?: string; line: number; why: string }) => `${placeOf(facts, each)}: ${each.why}`;
  const hidden = losses.unreadable.map(
    (each) => `rows of ${each.schema}.${each.table} cannot be archived: ${each.why}`,
  );
  if (hidden.length > 0)
    return failed(
      hidden.join("; "),
      "Connect as a role with BYPASSRLS that may read these tables: an archive must hold every row.",
    );
  if (unknownKinds.length > 0)
    return failed(
      `Belay cannot write these objects down yet: ${unknownKinds.join(", ")}`,
      "Drop and keep these by hand first, or restore from a full backup.",
    );
  if (effect.unsupported.length > 0)
    return failed(effect.unsupported.map(place).join("; "), "Take these statements out of the rollback SQL.");
  const broken = effect.failures.filter((each) => !waitsForDependents(each, facts));
  if (broken.length > 0)
    return failed(
      `as the database stands, the rollback SQL would fail: ${broken.map(place).join("; ")}`,
      facts.migration.status === "rolled_back"
        ? "No wonder: it is rolled back already."
        : "Mend the rollback SQL, then register it again.",
    );
  if (effect.failures.length > 0)
    return unknown(
      `fails as long as dependents stand: ${effect.failures.map(place).join("; ")}`,
      "Roll back the dependent migrations first, then plan again.",
    );
  if (effect.opaque.length > 0)
    return passed(
      `the effect of ${plural(effect.opaque.length, "statement")} shows only when it runs, and the guard decides then: ${listed(effect.opaque.map(place), 3, "; ")}`,
    );
  return passed("every statement's effect is known");
}

/** Whether a statement fails only because of what applied migrations that depend on this one made. */
export function waitsForDependents(failure: Facts["effect"]["failures"][number], facts: Facts): boolean {
  const dependents = new Set(facts.dependents.map((each) => each.migration));
  const standing = facts.obstacles.filter((each) => each.line === failure.line && each.unit === failure.unit);
  return (
    failure.inTheWay !== undefined &&
    standing.every(({ key }) => dependents.has(facts.provenance.makers.get(key ?? "")?.migration ?? ""))
  );
}
