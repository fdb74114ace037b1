import { quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface EventTriggerRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly event: string;
  readonly tags: string[] | null;
  readonly function: string;
  readonly enabled: "O" | "D" | "R" | "A";
}

const enabledWords = { O: null, D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" };

/** EVENT TRIGGER entries. */
export const eventTriggers: KindReader = async (context) => {
  const { session, inUse } = context;
  if (!inUse.has("pg_event_trigger")) return [];
  const rows = await session.sql<EventTriggerRow[]>`
    select oid, evtname as name, pg_get_userbyid(evtowner) as owner, evtevent as event, evttags as tags,
      evtfoid::regproc::text as function, evtenabled as enabled
    from pg_event_trigger t
    where not exists (
      select from pg_depend where classid = 'pg_event_trigger'::regclass and objid = t.oid and deptype = 'e'
    ) ${inScope(context, catalog.eventTrigger, session.sql`oid`)}`;
  return rows.map((row) => {
    const name = quoteIdent(row.name);
    const tags = row.tags === null ? "" : `\n         WHEN TAG IN (${row.tags.map(quoteLiteral).join(", ")})`;
    const enabled = enabledWords[row.enabled];
    return rawEntry({
      kind: "EVENT TRIGGER",
      name: row.name,
      owner: row.owner,
      section: "post-data",
      create:
        `CREATE EVENT TRIGGER ${name} ON ${row.event}${tags}\n   EXECUTE FUNCTION ${row.function}();\n` +
        (enabled === null ? "" : `\nALTER EVENT TRIGGER ${name} ${enabled};\n`),
      drop: `DROP EVENT TRIGGER ${name};\n`,
      address: address(catalog.eventTrigger, row.oid),
    });
  });
};
