import type { KindContext } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { catalogOid } from "./relations.ts";

/** A CHECK constraint of a table. */
export interface Check {
  readonly oid: number;
  /** Oid of the table. */
  readonly relation: number;
  readonly name: string;
  /** As pg_get_constraintdef writes it. */
  readonly definition: string;
  readonly isLocal: boolean;
  readonly validated: boolean;
}

const shared = new WeakMap<KindContext, Promise<readonly Check[]>>();

/** CHECK constraints of every table in scope, by table and name; read once per context. */
export function readChecks(context: KindContext): Promise<readonly Check[]> {
  let checks = shared.get(context);
  if (checks === undefined) {
    checks = queryChecks(context);
    shared.set(context, checks);
  }
  return checks;
}

async function queryChecks(context: KindContext): Promise<readonly Check[]> {
  const { session, schemaOids } = context;
  if (!touches(context, catalogOid.constraint)) return [];
  return await session.sql<Check[]>`
    select o.oid::int8::float8 as oid, o.conrelid::int8::float8 as relation, o.conname::text as name,
      pg_catalog.pg_get_constraintdef(o.oid) as definition, o.conislocal as "isLocal", o.convalidated as validated
    from pg_catalog.pg_constraint o
    where o.contype = 'c' and o.conrelid <> 0 and o.connamespace = any(${schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.class, session.sql`o.conrelid`)}
    order by o.conrelid, o.conname`;
}
