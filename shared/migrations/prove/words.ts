import type { Judgement } from "./judge.ts";
import type { Proof, ProofDifference, ProofError } from "./types.ts";

/** A proof's one sentence for people. */
export function judgementWords({ verdict, differences, noop, changesSchema }: Judgement, blank: boolean): string {
  if (verdict === "exact" && noop)
    return changesSchema
      ? "after the rollback every object is as before the migration"
      : "the migration changes no schema object; rows that it changed stay changed, for the rollback changes none either";
  if (verdict === "exact")
    return changesSchema
      ? "after the rollback every object is as before the migration"
      : "the migration changes no schema object, and after the rollback every object is as before";
  const named = names(differences);
  if (verdict === "noop")
    return blank
      ? `there is no statement in the rollback SQL: ${named} stays`
      : `the rollback changes nothing: ${named}`;
  if (verdict === "column-order") return `as before but for the order of columns in ${named}`;
  if (verdict === "residue") return `something of the migration stays: ${named}`;
  if (verdict === "overreach") return `something that was there before is gone: ${named}`;
  return `not as before: ${named}`;
}

/** What to add where the migration does not come again as it was. */
export function againWords(again: Proof["up_again"], error: ProofError | null): string {
  if (again === "differs") return "; applied again after it, the migration ends in another state";
  return again === "fails"
    ? `; after it the migration cannot be applied again: ${error === null ? "" : errorWords(error)}`
    : "";
}

/** An error with its place, for people. */
export function errorWords(error: ProofError): string {
  const place = error.line === null ? "" : `${error.file}:${error.line}:${error.column}: `;
  const code = error.code === null ? "" : ` (SQLSTATE ${error.code})`;
  return `${place}${error.message}${code}`;
}

function names(differences: readonly ProofDifference[]): string {
  const all = differences.map(
    ({ kind, schema, name }) => `${kind.toLowerCase()} ${schema === null ? "" : `${schema}.`}${name}`,
  );
  return all.length > 3 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ");
}
