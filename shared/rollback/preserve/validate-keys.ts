import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import { ownPath } from "../../postgres/settings.ts";
import { setLimits } from "../transaction/timeouts.ts";
import type { KeyToValidate } from "./kept.ts";

/**
 * After the undo's COMMIT: checks each foreign key that came back unchecked, in a transaction of its own that stops no
 * writer. Answers notes; a key that does not hold stays NOT VALID, and the note says how to finish. Never throws.
 */
export async function validateKeys(belay: Belay, keys: readonly KeyToValidate[]): Promise<string[]> {
  const notes: string[] = [];
  for (const key of keys) {
    const command = `ALTER TABLE ${qualified(key.schema, key.table)} VALIDATE CONSTRAINT ${quoteIdent(key.constraint)};`;
    belay.report({
      phase: "validate",
      message: `checking foreign key ${key.constraint} of ${key.schema}.${key.table}`,
    });
    const problem = await validate(belay, command);
    notes.push(
      problem === null
        ? `foreign key ${key.constraint} of ${key.schema}.${key.table} was checked after COMMIT: every row has its parent`
        : `foreign key ${key.constraint} of ${key.schema}.${key.table} stays NOT VALID: ${problem}. New rows are checked; mend the old ones, then run: ${command}`,
    );
  }
  return notes;
}

async function validate(belay: Belay, command: string): Promise<string | null> {
  try {
    const session = await belay.openSession({ applicationName: "belay undo", parameters: ownPath });
    try {
      await session.run("begin");
      await setLimits(session, belay.settings);
      await session.run(command);
      await session.run("commit");
      return null;
    } finally {
      await session.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}

/** Puts what came of it on the undo's record; the undo itself is committed, so a failure here changes nothing. */
export async function addNotes(control: Session, rollbackId: string, notes: readonly string[]): Promise<void> {
  if (notes.length === 0) return;
  const more = JSON.stringify(notes);
  await control.sql`
    update belay.rollbacks set report = jsonb_set(report, '{notes}', coalesce(report -> 'notes', '[]') || ${more}::text::jsonb)
     where id = ${rollbackId} and report is not null`.catch(() => {});
}
