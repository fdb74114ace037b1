import { qualified, quoteIdent } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { type Insertion, runInsertions } from "./insert.ts";
import { holdersOf } from "./order.ts";
import { ownRows, type RowsWanted } from "./rows.ts";
import type { SeedForeignKey, SeedRow, SeedSchema, SeedTable } from "./types.ts";
import { plainType } from "./values.ts";

/**
 * Gives values to columns that had to stay NULL to get a row in, one by one, where the table allows it now: only a
 * value that is there can be seen to go.
 */
export async function fillGaps(
  session: Session,
  schema: SeedSchema,
  made: ReadonlyMap<SeedTable, readonly SeedRow[]>,
  wanted: RowsWanted,
): Promise<void> {
  const fillings: Insertion[] = [];
  for (const [table, rows] of made) {
    const name = qualified(table.schema, table.name);
    const inKeys = new Set(table.keys.flatMap(({ columns }) => columns));
    for (const [place, natural] of ownRows(schema, table, wanted).entries())
      for (const [column, value] of natural) {
        if (inKeys.has(column) || !isEmpty(rows[place], column)) continue;
        const own = quoteIdent(column);
        const one = `(select ctid from only ${name} where ${own} is null limit 1)`;
        fillings.push({ table, statement: `update only ${name} set ${own} = ${value} where ctid = ${one}` });
      }
    for (const key of table.keys)
      if (rows.some((row) => key.columns.some((column) => isEmpty(row, column))))
        fillings.push(...keyFilling(schema, table, key));
  }
  await runInsertions(session, fillings);
}

function isEmpty(row: SeedRow | undefined, column: string): boolean {
  const value = row?.get(column);
  return value === undefined || value === "null";
}

function keyFilling(schema: SeedSchema, table: SeedTable, key: SeedForeignKey): Insertion[] {
  const parent = holdersOf(schema.tables).get(key.parent)?.[0];
  if (parent === undefined || key.columns.some((name) => !isFillable(table, name))) return [];
  const name = qualified(table.schema, table.name);
  const set = key.columns.map((column, index) => `${quoteIdent(column)} = p.${quoteIdent(key.parentColumns[index]!)}`);
  const empty = key.columns.map((column) => `t.${quoteIdent(column)} is null`).join(" and ");
  const from = `from only ${qualified(parent.schema, parent.name)} p where ${empty}`;
  return [{ table, statement: `update only ${name} t set ${set.join(", ")} ${from}` }];
}

function isFillable(table: SeedTable, name: string): boolean {
  return table.columns.some((column) => column.name === name && !column.generated && !column.notNull);
}

/**
 * Sets back what triggers wrote as the moment of this transaction: a rollback's triggers in the same transaction
 * write the same moment, and the change would not show. Only a superuser can; else it stays.
 */
export async function setBackMoments(session: Session, schema: SeedSchema): Promise<void> {
  const statements = schema.tables.flatMap((table) => {
    if (!table.hasTriggers) return [];
    const name = qualified(table.schema, table.name);
    return table.columns.flatMap((column) => {
      const type = plainType(schema.types, column.type, column.modifier)?.type.name ?? "";
      if (column.generated || !type.startsWith("timestamp ")) return [];
      const own = quoteIdent(column.name);
      const statement = `update only ${name} set ${own} = ${own} - interval '1 day' where ${own} = now()::${type}`;
      return [{ table, statement }];
    });
  });
  if (statements.length === 0) return;
  await session.run("savepoint belay_moments");
  try {
    await session.run("set local session_replication_role = replica");
    await runInsertions(session, statements);
    await session.run("set local session_replication_role = origin; release savepoint belay_moments");
  } catch {
    await session.run("rollback to savepoint belay_moments; release savepoint belay_moments");
  }
}
