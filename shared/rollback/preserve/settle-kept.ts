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
  if (astray === undefined) return;
  throw new BelayError(
    "guard_loss",
    `${astray.kind} ${astray.schema}.${astray.name} is not in ${astray.keptIn} after the rollback SQL, as planned`,
    { hint: "Everything was put back. Roll back with --preserve archive.", details: { violations: [], widen: [] } },
  );
}
