import { qualified, quoteIdent, quoteLiteral } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { type Insertion, runInsertions } from "./insert.ts";
import { holdersOf } from "./order.ts";
import { ownRows, type RowsWanted } from "./rows.ts";
import { selectAll } from "./together.ts";
import type { SeedForeignKey, SeedSchema, SeedTable } from "./types.ts";
import { plainType } from "./values.ts";

/**
 * Gives values to columns that had to stay NULL to get a row in, or that a trigger emptied, one by one, where the table
 * allows it now: only a value that is there can be seen to go.
 */
export async function fillGaps(
  session: Session,
  schema: SeedSchema,
  tables: readonly SeedTable[],
  wanted: RowsWanted,
): Promise<void> {
  const fillings: Insertion[] = [];
  for (const [table, empty] of await readEmpty(session, tables)) {
    const keys = table.keys.filter(({ columns }) => columns.some((name) => empty.has(name)));
    const inKeys = new Set(table.keys.flatMap(({ columns }) => columns));
    for (const [place, natural] of ownRows(schema, table, wanted).entries()) {
      for (const [column, value] of natural)
        if (empty.has(column) && !inKeys.has(column))
          fillings.push({ table, statement: updateOne(table, [column], `${quoteIdent(column)} = ${value}`) });
      for (const key of keys) fillings.push(...keyFilling(schema, table, key, place));
    }
  }
  await runInsertions(session, fillings);
}

/** Columns in which a row has no value, by table. */
async function readEmpty(session: Session, tables: readonly SeedTable[]): Promise<[SeedTable, Set<string>][]> {
  const open = tables.filter((table) => fillable(table).length > 0);
  if (open.length === 0) return [];
  const parts = open.map((table, index) => {
    const columns = fillable(table).map(
      (name) => `case when bool_or(${quoteIdent(name)} is null) then ${quoteLiteral(name)} end`,
    );
    return `select ${index} as place, to_json(array[${columns}]) as names from only ${qualified(table.schema, table.name)}`;
  });
  const found = await selectAll<{ place: number; names: (string | null)[] }>(session, parts);
  return found.map(({ place, names }) => [open[place]!, new Set(names.filter((name) => name !== null))]);
}

function fillable(table: SeedTable): string[] {
  return table.columns.filter(({ generated, notNull }) => !generated && !notNull).map(({ name }) => name);
}

function updateOne(table: SeedTable, empty: readonly string[], set: string): string {
  const name = qualified(table.schema, table.name);
  const where = empty.map((column) => `${quoteIdent(column)} is null`).join(" and ");
  return `update only ${name} set ${set} where ctid = (select ctid from only ${name} where ${where} limit 1)`;
}

function keyFilling(schema: SeedSchema, table: SeedTable, key: SeedForeignKey, place: number): Insertion[] {
  const parent = holdersOf(schema.tables).get(key.parent)?.[0];
  const open = fillable(table);
  if (parent === undefined || key.columns.some((name) => !open.includes(name))) return [];
  const columns = key.parentColumns.map(quoteIdent).join(", ");
  const one = `select ${columns} from only ${qualified(parent.schema, parent.name)} order by ctid offset ${place} limit 1`;
  return [
    { table, statement: updateOne(table, key.columns, `(${key.columns.map(quoteIdent).join(", ")}) = (${one})`) },
  ];
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
