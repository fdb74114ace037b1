import { listed, plural } from "../../../words.ts";
import type { Facts } from "../facts.ts";
import { subjectOf } from "../gates-of-set.ts";
import { type Finding, failed, notAvailable, passed } from "./finding.ts";

export function judgeStatus({ migration, together, beyond }: Facts): Finding {
  const kept = together.filter(({ name }) => beyond.includes(name)).map(({ name }) => name);
  if (kept.length > 0)
    return failed(
      `the rollback SQL of ${migration.name} also reverses ${listed(kept)}, which is to stay`,
      `Go back further, to before ${kept[0]}, or write rollback SQL for ${migration.name} alone and register it.`,
    );
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

export function judgeChecksum({ migration, checkout }: Facts): Finding {
  if (checkout === null) return notAvailable("no checkout with this migration to compare with");
  if (checkout.checksum === migration.checksum) return passed(`${checkout.file} is what was applied`);
  return failed(
    `the forward part of ${checkout.file} (sha256 ${checkout.checksum.slice(0, 12)}…) is not what was applied (${migration.checksum.slice(0, 12)}…)`,
    "Put the file back as it was applied, and make the change in a new migration.",
  );
}

export function judgeDependents(facts: Facts): Finding {
  const { dependents, asked, together } = facts;
  if (dependents.length === 0)
    return passed(
      `no ${together.length > 1 ? "other " : ""}applied migration depends on ${together.length > 1 ? "them" : "it"}`,
    );
  const names = dependents.map((each) => each.migration);
  const set = [...names, ...together.map(({ name }) => name).reverse()];
  const whole = ["migration", "migrations", "latest"].includes(asked.kind) ? `belay plan ${set.join(" ")}` : null;
  return failed(
    `${plural(names.length, "applied migration depends", "applied migrations depend")} on ${subjectOf(facts)}: ${listed(names)}`,
    `Roll back first, in this order: ${names.join(", ")}.${whole === null ? "" : ` Or all as one: ${whole}`}`,
  );
}
