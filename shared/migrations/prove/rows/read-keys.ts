import { qualified, quoteIdent, quoteLiteral } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { parentFinder } from "./order.ts";
import { selectAll } from "./together.ts";
import type { SeedRow, SeedSchema, SeedTable } from "./types.ts";

/** Rows that the given tables' keys may refer to, as they are in the database now: at most `limit` and a few per parent. */
export async function readKeys(
  session: Session,
  schema: SeedSchema,
  tables: readonly SeedTable[],
  limit: number,
): Promise<[SeedTable, SeedRow[]][]> {
  const parents = parentFinder(schema.tables);
  const wanted = [...new Set(tables.flatMap(parents))].filter((table) => !tables.includes(table));
  if (wanted.length === 0) return [];
  const parts = wanted.map((table, index) => {
    const columns = table.columns.map(({ name }) => `r.${quoteIdent(name)}::text`).join(", ");
    return `select ${index} as place, to_json(array[${columns}]::text[]) as values from (select * from only ${qualified(table.schema, table.name)} order by ctid desc limit ${limit + 3}) r`;
  });
  const found = await selectAll<{ place: number; values: (string | null)[] }>(session, parts);
  return wanted.map((table, index) => [
    table,
    found.filter(({ place }) => place === index).map(({ values }) => asRow(table, values)),
  ]);
}

function asRow(table: SeedTable, values: readonly (string | null)[]): SeedRow {
  return new Map(
    table.columns.map(({ name }, index) => {
      const value = values[index] ?? null;
      return [name, value === null ? "null" : quoteLiteral(value)];
    }),
  );
}
