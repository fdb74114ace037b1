import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Plan } from "../types.ts";

/** What acts outside of the transaction: no ROLLBACK takes it back, and no guard sees it. */
const reaches: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bcopy\b[^;]*?\b(?:to|from)\s+program\b/is, what: "COPY ... PROGRAM runs a program on the server" },
  { pattern: /\bcopy\b[^;]*?\bto\s+'+\s*[/\\\w]/is, what: "COPY ... TO writes a file on the server" },
  { pattern: /\bdblink\w*/i, what: "dblink writes over another connection" },
  { pattern: /\blo_export\b/i, what: "lo_export writes a file on the server" },
  { pattern: /\bpg_file_(?:write|unlink|rename|sync)\b/i, what: "it changes files on the server" },
  {
    pattern: /\bpg_(?:drop_replication_slot|replication_slot_advance|replication_origin_\w+)\b/i,
    what: "it changes replication, which no ROLLBACK takes back",
  },
  {
    pattern: /\blanguage\s+'?(?:plpython\w*|plperlu|pltclu|plsh|c)\b/i,
    what: "code in an untrusted language can do anything on the server",
  },
];

/**
 * Throws `gate_failed` when the rollback SQL, or a function whose name occurs in it (and so on), reaches outside of the
 * transaction. A text put together from pieces gets past this: it is a fence, not a proof.
 */
export async function requireInside(session: Session, plan: Plan): Promise<void> {
  const texts: { place: string; text: string }[] = [{ place: "the rollback SQL", text: plan.sql }];
  texts.push(...(await reachableFunctions(session, plan)));
  for (const { place, text } of texts) {
    const found = reaches.find(({ pattern }) => pattern.test(text));
    if (found === undefined) continue;
    throw new BelayError("gate_failed", `gate supported failed for ${plan.migration}: ${place}: ${found.what}`, {
      hint: "Take that out of the rollback SQL and do it by hand, apart from it.",
      details: { gates: [{ name: "supported", evidence: `${place}: ${found.what}`, next: null }] },
    });
  }
}

/** The team's own functions that the SQL may run: named in it or in one another, or triggers of what it locks. */
async function reachableFunctions(session: Session, plan: Plan): Promise<{ place: string; text: string }[]> {
  const oids = plan.locks.map(({ oid }) => String(oid));
  const rows = await session.sql`
    select p.proname as name, p.prosrc as text, exists (
             select from pg_trigger t where t.tgfoid = p.oid and t.tgrelid = any(${oids}::text[]::oid[])
           ) as fires
      from pg_proc p join pg_language l on l.oid = p.prolang
     where p.oid >= 16384 and l.lanname not in ('c', 'internal')
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and p.pronamespace <> coalesce(to_regnamespace('belay')::oid, 0)`;
  const waiting = [plan.sql, ...rows.filter(({ fires }) => fires).map(({ text }) => text as string)];
  const reached = new Map<string, string>();
  for (const row of rows) if (row.fires) reached.set(row.name, row.text);
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    const words = new Set(text.toLowerCase().match(/[a-z_][\w$]*/g));
    for (const row of rows) {
      if (reached.has(row.name) || !words.has(row.name.toLowerCase())) continue;
      reached.set(row.name, row.text);
      waiting.push(row.text);
    }
  }
  return [...reached].map(([name, text]) => ({ place: `function ${name}`, text }));
}
