import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";

const states: Record<string, string> = { O: "enable", A: "enable always", R: "enable replica", D: "disable" };

/**
 * Turns the user triggers of a table off and answers the statements that put each back to its own state:
 * `ENABLE TRIGGER USER` would enable those that were disabled before. Triggers of a table that
 * our role does not own stay on: digests and the guard tell what they did.
 */
export async function userTriggersOff(session: Session, schema: string, table: string): Promise<string[]> {
  const name = qualified(schema, table);
  const triggers = await session.sql`
    select t.tgname as name, t.tgenabled as state
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table} and not t.tgisinternal and t.tgenabled <> 'D'
       and pg_has_role(c.relowner, 'USAGE')`;
  for (const trigger of triggers) await session.run(`alter table ${name} disable trigger ${quoteIdent(trigger.name)}`);
  return triggers.map((trigger) => `alter table ${name} ${states[trigger.state]} trigger ${quoteIdent(trigger.name)}`);
}
