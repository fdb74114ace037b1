import { qualified } from "../../../catalog/identifiers.ts";
import { listed } from "../../../words.ts";
import type { Facts } from "../facts.ts";
import { subjectOf } from "../gates-of-set.ts";
import { archiveWords } from "../target.ts";
import { type Finding, failed, notAvailable, passed, unknown } from "./finding.ts";

export function judgeProvenance(facts: Facts): Finding {
  const { provenance, prepared } = facts;
  const subject = subjectOf(facts);
  if (prepared.statements === 0) return notAvailable("there is no SQL that could destroy anything");
  if (!provenance.known)
    return unknown(
      `no snapshots from before and after ${subject}, so what came of it is not known`,
      `Register migrations as they are applied: belay sync takes the snapshots.`,
    );
  if (provenance.overreach.length === 0) return passed(`only what ${subject} made would go`);
  const each = provenance.overreach.map(
    ({ what, why, madeBy }) => `${what} (${why}${madeBy === null ? "" : `; made by ${madeBy}`})`,
  );
  return failed(
    `the rollback SQL destroys what ${subject} did not make: ${listed(each)}`,
    "Take that out of the rollback SQL, or roll back the migration that made it first.",
  );
}

export function judgeUndoable({ losses, alsoArchived }: Facts): Finding {
  const whole = new Set(alsoArchived.map(({ oid }) => oid));
  const keyless = losses.columns.filter((each) => each.key === null && !whole.has(each.oid));
  if (keyless.length === 0) return passed("everything lost can be put back");
  const names = keyless.map((each) => `${each.schema}.${each.table} (${each.columns.join(", ")})`);
  return failed(
    `${names.join(", ")}: no unique key of NOT NULL columns that stays, so undo could not find the rows again`,
    `Archive ${keyless.length === 1 ? "the table" : "them"} whole: ${archiveWords(keyless.map(({ schema, table }) => qualified(schema, table)))}. Or give the table a primary key that the rollback keeps.`,
  );
}

export function judgeStore({ losses, storeUrl, effect, preserve, alsoArchived }: Facts): Finding {
  if (storeUrl !== null) return passed(storeUrl);
  if (alsoArchived.length === 0 && !needsArchive(losses, effect) && preserve.kept.length === 0)
    return notAvailable("no archive store is set, and nothing would be lost");
  return failed(
    "no archive store is set, and data would be lost",
    "Set --store or BELAY_STORE: s3://bucket/prefix or file:///directory.",
  );
}

function needsArchive(losses: Facts["losses"], effect: Facts["effect"]): boolean {
  return losses.tables.length + losses.columns.length + losses.sequences.length + effect.opaque.length > 0;
}

/** Settled by the execution, which compares with the snapshot from before the migration once the SQL has run. */
export function judgeEndState({ provenance }: Facts): Finding {
  if (provenance.known)
    return {
      ...unknown("compared with the snapshot from before the migration once the SQL has run", "Nothing to do."),
      later: true,
    };
  return unknown(
    "there is no snapshot from before the migration, so the end state cannot be compared",
    "Register migrations as they are applied: belay sync takes the snapshots.",
  );
}
