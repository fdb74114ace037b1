import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";

const states: Record<string, string> = { O: "enable", A: "enable always", R: "enable replica", D: "disable" };

/**
 * Turns the user triggers and the rules of a table off and answers the statements that put each back to its own state:
 * `ENABLE TRIGGER USER` would enable those that were disabled before. Those of a table that
 * our role does not own stay on: digests and the guard tell what they did.
 */
export async function triggersAndRulesOff(session: Session, schema: string, table: string): Promise<string[]> {
  const name = qualified(schema, table);
  const found = await session.sql`
    select 'trigger' as kind, t.tgname as name, t.tgenabled as state
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table} and not t.tgisinternal and t.tgenabled <> 'D'
       and pg_has_role(c.relowner, 'USAGE')
    union all
    select 'rule', r.rulename, r.ev_enabled
      from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relname = ${table} and c.relkind in ('r', 'p') and r.ev_enabled <> 'D'
       and pg_has_role(c.relowner, 'USAGE')`;
  for (const each of found) await session.run(`alter table ${name} disable ${each.kind} ${quoteIdent(each.name)}`);
  return found.map((each) => `alter table ${name} ${states[each.state]} ${each.kind} ${quoteIdent(each.name)}`);
}
