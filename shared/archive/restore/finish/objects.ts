import type { Session } from "../../../postgres/session.ts";
import type { TocEntry } from "../../format/toc.ts";

/** Indexes that do not work and constraints that were not checked, other than the archive had them, in words. */
export async function unsoundObjects(session: Session, entries: readonly TocEntry[]): Promise<string[]> {
  const indexes = await session.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where not (i.indisvalid and i.indisready) and n.nspname !~ '^pg_' order by 1`;
  const constraints = await session.sql<{ schema: string; table: string; name: string }[]>`
    select n.nspname as schema, c.relname as "table", con.conname as name
    from pg_catalog.pg_constraint con join pg_catalog.pg_class c on c.oid = con.conrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where not con.convalidated and n.nspname !~ '^pg_' order by 1, 2, 3`;
  const unvalidated = entries.filter(({ defn }) => /\bNOT VALID;?\s*$/.test(defn ?? ""));
  const known = new Set(unvalidated.map(({ namespace, tag }) => `${namespace}.${tag}`));
  return [
    ...indexes.map(({ name }) => `the index ${name} is not valid`),
    ...constraints
      .filter(({ schema, table, name }) => !known.has(`${schema}.${table} ${name}`))
      .map(({ schema, table, name }) => `the constraint ${name} of ${schema}.${table} is not validated`),
  ];
}
