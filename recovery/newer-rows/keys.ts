import { qualified, quoteIdent } from "../../shared/catalog/identifiers.ts";
import { copyOut } from "../../shared/postgres/copy.ts";
import type { Session } from "../../shared/postgres/session.ts";
import type { KeyedRow } from "./merge.ts";

/** A table that stands in both databases, and by what its rows are told apart. */
export interface ComparedTable {
  readonly schema: string;
  readonly table: string;
  /** Columns of both databases, in name order. */
  readonly columns: readonly string[];
  /** Columns of the primary key; empty when there is none: a row is then its own key. */
  readonly key: readonly string[];
}

/** Columns of a table and its primary key, by name; null when there is no such table. */
export async function readShape(
  session: Session,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<{ columns: string[]; key: string[] } | null> {
  const [row] = await session.sql<{ columns: string[] | null; key: string[] | null }[]>`
    select
      (select array_agg(a.attname::text order by a.attname::text collate "C") from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      (select array_agg(a.attname::text order by a.attname::text collate "C") from pg_catalog.pg_constraint p
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any (p.conkey)
        where p.conrelid = c.oid and p.contype = 'p') as key
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${table} and c.relkind = 'r'`;
  return row === undefined ? null : { columns: row.columns ?? [], key: row.key ?? [] };
}

/** The table in both databases with the columns that both know; null when one of them lacks it. */
export async function comparable(
  today: Session,
  backup: Session,
  name: { readonly schema: string; readonly table: string },
): Promise<ComparedTable | null> {
  const [now, then] = [await readShape(today, name), await readShape(backup, name)];
  if (now === null || then === null) return null;
  const columns = now.columns.filter((column) => then.columns.includes(column));
  const sameKey = now.key.length > 0 && now.key.join() === then.key.join();
  return { ...name, columns, key: sameKey ? now.key : [] };
}

/** SQL that gives a row's key: the same text in both databases, whatever the types are called there. */
export function keyExpression(table: ComparedTable, alias: string): string {
  return hashOf(table.key.length > 0 ? table.key : table.columns, alias);
}

/** Streams key and hash of every row in ascending order of key; nothing is held but what the server sorts. */
export async function* readKeyedRows(session: Session, table: ComparedTable): AsyncGenerator<KeyedRow> {
  const statement = `copy (
    select ${keyExpression(table, "t")} as k, ${hashOf(table.columns, "t")} as h
    from only ${qualified(table.schema, table.table)} t order by 1, 2) to stdout`;
  for await (const line of lines(copyOut(session, statement))) {
    const [key, hash] = line.split("\t");
    yield { key: key!, hash: hash! };
  }
}

function hashOf(columns: readonly string[], alias: string): string {
  if (columns.length === 0) return `md5('') collate "C"`;
  const values = columns.map((column) => `${alias}.${quoteIdent(column)}::text`).join(", ");
  return `md5(row(${values})::text) collate "C"`;
}

async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
