import { listed, plural } from "../../words.ts";
import type { Gate } from "../types.ts";
import type { Facts } from "./facts.ts";
import type { GateName, Policy } from "./policy.ts";

/** What a gate found, before the policy says whether it blocks. */
export type Finding = Pick<Gate, "state" | "evidence" | "next">;
type Judge = (facts: Facts) => Finding;

const passed = (evidence: string): Finding => ({ state: "passed", evidence, next: null });
const failed = (evidence: string, next: string): Finding => ({ state: "failed", evidence, next });
const unknown = (evidence: string, next: string): Finding => ({ state: "unknown", evidence, next });
const notAvailable = (evidence: string, next: string | null = null): Finding => ({
  state: "not_available",
  evidence,
  next,
});

const judges: Readonly<Record<GateName, Judge>> = {
  status: judgeStatus,
  rollback_sql: judgeRollbackSql,
  syntax: judgeSyntax,
  transactional: judgeTransactional,
  checksum: judgeChecksum,
  dependents: judgeDependents,
  provenance: judgeProvenance,
  undoable: judgeUndoable,
  end_state: () =>
    unknown("compared with the snapshot from before the migration once the SQL has run", "Nothing to do."),
  supported: judgeSupported,
  store: judgeStore,
  reason: judgeReason,
  backup_fresh: () => notAvailable("no record of scheduled backups is kept yet"),
  restore_tested: () => notAvailable("drills are not yet taken into account here"),
  rehearsed: () => notAvailable("rehearsals are not recorded yet"),
  team_notified: () => notAvailable("notifications are not recorded yet"),
  approved: () => notAvailable("approvals are not recorded yet"),
  maintenance_window: () => notAvailable("no maintenance windows are set"),
};

/** Every gate with its evidence, in the order in which they are shown. */
export function judgeGates(facts: Facts, policy: Policy): Gate[] {
  return (Object.keys(judges) as GateName[]).map((name) => ({
    name,
    ...judges[name](facts),
    blocking: policy.blocking.includes(name),
  }));
}

export function judgeStatus({ migration, together }: Facts): Finding {
  const other = together.find((each) => each.name !== migration.name && each.status !== "applied");
  if (other !== undefined && migration.status === "applied")
    return failed(
      `the rollback SQL of ${migration.name} also reverses ${other.name}, whose status is ${other.status}`,
      `Write rollback SQL for ${migration.name} alone, then belay register ${migration.name}.`,
    );
  if (migration.status === "applied")
    return passed(
      `${migration.appliedAt === null ? "applied" : `applied at ${migration.appliedAt}`}${
        together.length > 1
          ? `; goes together with ${together
              .map((each) => each.name)
              .filter((each) => each !== migration.name)
              .join(", ")}`
          : ""
      }`,
    );
  if (migration.status === "rolled_back")
    return failed(
      `${migration.name} is already rolled back${migration.rollbackAt === null ? "" : `, at ${migration.rollbackAt}`}`,
      "Nothing to do. To bring it back, undo that rollback or apply the migration again.",
    );
  return failed(
    `${migration.name} is half applied (status failed)`,
    "Mend the database by hand, tell your tool (migrate force), then run belay sync.",
  );
}

export function judgeRollbackSql({ migration, prepared, syntax }: Facts): Finding {
  const add = `Write it (belay template ${migration.name} proposes one), then belay register ${migration.name}.`;
  if (migration.rollbackSql === null) return failed(`${migration.name} has no rollback SQL in the ledger`, add);
  const nothing = syntax === null && prepared.statements === 0 && prepared.refusals.length === 0;
  if (nothing) return failed(`the rollback SQL of ${migration.name} is empty or only comments`, add);
  return passed(`in the ledger, revision ${migration.revision}`);
}

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

export function judgeChecksum({ migration, checkout }: Facts): Finding {
  if (checkout === null) return notAvailable("no checkout with this migration to compare with");
  if (checkout.checksum === migration.checksum) return passed(`${checkout.file} is what was applied`);
  return failed(
    `the forward part of ${checkout.file} (sha256 ${checkout.checksum.slice(0, 12)}…) is not what was applied (${migration.checksum.slice(0, 12)}…)`,
    "Put the file back as it was applied, and make the change in a new migration.",
  );
}

export function judgeDependents({ migration, dependents }: Facts): Finding {
  if (dependents.length === 0) return passed("no applied migration depends on it");
  const names = dependents.map((each) => each.migration);
  return failed(
    `${plural(names.length, "applied migration depends", "applied migrations depend")} on ${migration.name}: ${listed(names)}`,
    `Roll back first, in this order: ${names.join(", ")}.`,
  );
}

export function judgeProvenance({ migration, provenance, prepared }: Facts): Finding {
  if (prepared.statements === 0) return notAvailable("there is no SQL that could destroy anything");
  if (!provenance.known)
    return unknown(
      "no snapshots from before and after the migration, so what it made is not known",
      `Register migrations as they are applied: belay sync takes the snapshots.`,
    );
  if (provenance.overreach.length === 0) return passed(`only what ${migration.name} made would go`);
  const each = provenance.overreach.map(
    ({ what, why, madeBy }) => `${what} (${why}${madeBy === null ? "" : `; made by ${madeBy}`})`,
  );
  return failed(
    `the rollback SQL destroys what ${migration.name} did not make: ${listed(each)}`,
    "Take that out of the rollback SQL, or roll back the migration that made it first.",
  );
}

export function judgeUndoable({ losses }: Facts): Finding {
  const keyless = losses.columns.filter((each) => each.key === null);
  if (keyless.length === 0) return passed("everything lost can be put back");
  const names = keyless.map((each) => `${each.schema}.${each.table} (${each.columns.join(", ")})`);
  return failed(
    `${names.join(", ")}: no unique key of NOT NULL columns that stays, so undo could not find the rows again`,
    "Give the table a primary key that the rollback keeps, or copy the columns to a table of their own first.",
  );
}

export function judgeSupported(facts: Facts): Finding {
  const { effect, unknownKinds, losses } = facts;
  const place = (each: { line: number; why: string }) => `line ${each.line}: ${each.why}`;
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
      "Mend the rollback SQL, then register it again.",
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
  const standing = facts.obstacles.filter((each) => each.line === failure.line);
  return (
    failure.inTheWay !== undefined &&
    standing.every(({ key }) => dependents.has(facts.provenance.makers.get(key ?? "")?.migration ?? ""))
  );
}

export function judgeStore({ losses, storeUrl, effect }: Facts): Finding {
  if (storeUrl !== null) return passed(storeUrl);
  if (!needsArchive(losses, effect)) return notAvailable("no archive store is set, and nothing would be lost");
  return failed(
    "no archive store is set, and data would be lost",
    "Set --store or BELAY_STORE: s3://bucket/prefix or file:///directory.",
  );
}

function needsArchive(losses: Facts["losses"], effect: Facts["effect"]): boolean {
  return losses.tables.length + losses.columns.length + losses.sequences.length + effect.opaque.length > 0;
}

export function judgeReason({ reason }: Facts): Finding {
  if (reason === null) return notAvailable("asked for when the rollback is executed");
  if (reason.trim() === "") return failed("no reason is given", "Say why: --reason TEXT. It goes on record.");
  return passed(reason.trim());
}
