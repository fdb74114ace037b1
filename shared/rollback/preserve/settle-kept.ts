import { quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Plan, Preserved } from "../types.ts";

const dayMs = 24 * 3600 * 1000;

/** When what a rollback of now keeps may be purged, ISO 8601. */
export function purgeDate({ days }: Pick<Plan["preserve"], "days">, now: Date): string {
  return new Date(now.getTime() + days * dayMs).toISOString();
}

/**
 * After the SQL, in its transaction: proves that what was to be moved is where the plan says, and writes on each private
 * schema whose it is and until when. Null when nothing is kept.
 */
export async function settleKept(
  session: Session,
  { preserve, migration }: Pick<Plan, "preserve" | "migration">,
  { rollbackId, now }: { readonly rollbackId: string; readonly now: Date },
): Promise<Preserved | null> {
  if (preserve.kept.length === 0) return null;
  if (preserve.mode === "quarantine") await requireMoved(session, preserve.kept);
  const schemas = [...new Set(preserve.kept.map(({ keptIn }) => keptIn))];
  const until = purgeDate(preserve, now);
  const how = preserve.mode === "quarantine" ? "moved here" : "copied here";
  for (const schema of schemas) {
    const words = `Belay: ${how} by rollback ${rollbackId} of ${migration}; kept until ${until.slice(0, 10)}. See belay quarantine list.`;
    await session.run(`comment on schema ${quoteIdent(schema)} is ${quoteLiteral(words)}`);
  }
  return { mode: preserve.mode, schemas, kept: [...preserve.kept], until };
}

async function requireMoved(session: Session, kept: Plan["preserve"]["kept"]): Promise<void> {
  const rows = await session.sql`
    select c.oid::int8::float8 as oid, n.nspname as schema, c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${kept.map(({ oid }) => String(oid))}::text[]::oid[]) and c.relkind <> 'c'
    union all
    select t.oid::int8::float8, n.nspname, t.typname
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where t.oid = any(${kept.map(({ oid }) => String(oid))}::text[]::oid[])`;
  const places = new Set(rows.map(({ oid, schema, name }) => JSON.stringify([oid, schema, name])));
  const astray = kept.find(({ oid, keptIn, as }) => !places.has(JSON.stringify([oid, keptIn, as])));
  if (astray !== undefined) throw notAsPlanned(astray, `is not in ${astray.keptIn}`);
  const [row] = await session.sql`
    select (select json_build_array(k.schema, k.name)
              from json_to_recordset(${JSON.stringify(kept)}::text::json) k(kind text, schema text, name text)
             where k.kind <> 'type' and to_regclass(format('%I.%I', k.schema, k.name)) is not null
                or k.kind = 'type' and to_regtype(format('%I.%I', k.schema, k.name)) is not null limit 1) as taken,
           (select inhrelid::int8::float8 from pg_inherits
             where inhrelid = any(${kept.map(({ oid }) => String(oid))}::text[]::oid[])
               and inhparent <> all(${kept.map(({ oid }) => String(oid))}::text[]::oid[])
               and inhparent in (select oid from pg_class where relkind in ('r', 'p', 'f')) limit 1) as shown`;
  const taken = kept.find(({ schema, name }) => row!.taken?.[0] === schema && row!.taken[1] === name);
  if (taken !== undefined) throw notAsPlanned(taken, "has another one in its place");
  const shown = kept.find(({ oid }) => oid === row!.shown);
  if (shown !== undefined) throw notAsPlanned(shown, "still has a parent that shows its rows");
}

function notAsPlanned({ kind, schema, name }: Plan["preserve"]["kept"][number], what: string): BelayError {
  return new BelayError("guard_loss", `${kind} ${schema}.${name} ${what} after the rollback SQL`, {
    hint: "Everything was put back. Roll back with --preserve archive.",
    details: { violations: [], widen: [] },
  });
}
