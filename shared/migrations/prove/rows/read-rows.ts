import { qualified, quoteIdent } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { ofTheProject } from "./read-schema.ts";
import { selectAll } from "./together.ts";

export interface ReadColumn {
  readonly number: number;
  readonly name: string;
  /** Computed from other columns: nothing of its own can be lost. */
  readonly generated: boolean;
  /** A blank-padded type: a cast to text drops the blanks that a client sees. */
  readonly padded: boolean;
}

/** A table's rows as texts, in the order of its columns; null: too many to hold, only counted and summed up. */
export interface TableRows {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ReadColumn[];
  readonly rows: readonly (readonly (string | null)[])[] | null;
  readonly count: number;
  /** Sum of the hashes of each column's values, where there are no rows. */
  readonly sums: readonly string[];
}

/** Every row of the database at a moment. */
export type RowState = readonly TableRows[];

const mostBytes = 32 * 1024 * 1024;

/** Reads the rows of all tables as the session's transaction sees them. */
export async function readRows(session: Session): Promise<RowState> {
  const tables = (await session.run(tablesQuery)) as unknown as (Omit<TableRows, "rows" | "count" | "sums"> & {
    large: boolean;
  })[];
  if (tables.length === 0) return [];
  const parts = tables.map((table, index) => {
    const from = `from only ${qualified(table.schema, table.name)} t`;
    const columns = table.columns.map(textOf);
    if (!table.large)
      return `select ${index} as i, (select json_agg(to_json(array[${columns}]::text[])) ${from}) as rows, null::int8 as count`;
    const sums = columns.map((column) => `sum(hashtextextended(${column}, 0)::numeric)::text`);
    return `select ${index} as i, (select to_json(array[${sums}]::text[]) ${from}) as rows, (select count(*) ${from}) as count`;
  });
  const answers = await selectAll<{ i: number; rows: TableRows["rows"] & TableRows["sums"]; count: string | null }>(
    session,
    parts,
  );
  const byPlace = new Map(answers.map(({ i, rows, count }) => [i, { rows, count: Number(count) }]));
  return tables.map(({ large, ...table }, index) => {
    const { rows, count } = byPlace.get(index)!;
    if (large) return { ...table, rows: null, count, sums: rows ?? [] };
    return { ...table, rows: rows ?? [], count: rows?.length ?? 0, sums: [] };
  });
}

function textOf({ name, padded }: ReadColumn): string {
  const column = `t.${quoteIdent(name)}`;
  return padded ? `case when ${column} is not null then format('%s', ${column}) end` : `${column}::text`;
}

const tablesQuery = `
  select c.oid::int8::float8 as oid, n.nspname as schema, c.relname as name, pg_relation_size(c.oid) > ${mostBytes} as large,
    coalesce((select json_agg(json_build_object('number', a.attnum, 'name', a.attname, 'generated', a.attgenerated <> '',
        'padded', a.atttypid = 'bpchar'::regtype)
      order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and ${ofTheProject} order by n.nspname, c.relname`;
