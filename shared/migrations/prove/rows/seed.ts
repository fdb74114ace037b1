import { qualified } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { fillGaps, setBackMoments } from "./fill.ts";
import { type Insertion, insertText, type Refusal, runInsertions, togetherText } from "./insert.ts";
import { holdersOf, orderTables } from "./order.ts";
import { readKeys } from "./read-keys.ts";
import { readSeedSchema } from "./read-schema.ts";
import { type KnownRows, makeRows, ownRows, type RowsWanted } from "./rows.ts";
import { advanceSequences } from "./sequences.ts";
import { solveChecks } from "./solve.ts";
import { selectAll } from "./together.ts";
import type { SeedOptions, SeedReport, SeedRow, SeedSchema, SeedTable } from "./types.ts";
import { textShapes } from "./values.ts";

/** What is tried, one after the other, with the tables that refused. */
const otherWays: readonly Pick<RowsWanted, "sparse" | "shape">[] = [
  { sparse: false, shape: 0 },
  { sparse: true, shape: 0 },
  ...textShapes.slice(1).map((_, index) => ({ sparse: false, shape: index + 1 })),
  { sparse: true, shape: 1 },
];

/**
 * Puts generated rows into every table of the database, parents first, in the session's open transaction. A table that
 * refuses is tried again with other values; one that took none is answered with the server's reason.
 */
export async function seedRows(session: Session, options: SeedOptions): Promise<SeedReport> {
  const schema = await readSeedSchema(session);
  if (schema.tables.length === 0 || options.rows < 1) return { unseeded: [] };
  const groups = orderTables(schema.tables);
  await session.run("set constraints all immediate");
  const empty = options.emptyOnly === true ? await emptyOf(session, schema.tables) : null;
  let refused =
    empty === null
      ? await seedTogether(session, schema, groups, options)
      : new Map([...empty].map((table) => [table, "no row yet"]));
  const apart = new Set(refused.keys());
  for (const way of otherWays) {
    if (refused.size === 0) break;
    const waiting = groups.flat().filter((table) => refused.has(table));
    refused = await seedApart(session, schema, waiting, { ...options, ...way });
  }
  const wanted = schema.tables.filter((table) => !refused.has(table) && (empty === null || empty.has(table)));
  const filled = wanted.filter((table) => apart.has(table) || table.hasTriggers);
  await fillGaps(session, schema, filled, { ...options, sparse: false, shape: 0 });
  await setBackMoments(session, schema);
  await advanceSequences(session, wanted);
  if (schema.deferred.length > 0) await session.run(`set constraints ${schema.deferred.join(", ")} deferred`);
  return { unseeded: await stillEmpty(session, refused) };
}

/** A table that a trigger filled refuses further rows, and has some. */
async function stillEmpty(session: Session, refused: Refused): Promise<SeedReport["unseeded"]> {
  if (refused.size === 0) return [];
  const empty = await emptyOf(session, [...refused.keys()]);
  return [...refused].flatMap(([table, why]) =>
    empty.has(table) ? [{ table: qualified(table.schema, table.name), why }] : [],
  );
}

async function emptyOf(session: Session, tables: readonly SeedTable[]): Promise<Set<SeedTable>> {
  const parts = tables.map(
    ({ schema, name }, index) => `select ${index} as i where not exists (select from only ${qualified(schema, name)})`,
  );
  return new Set((await selectAll<{ i: number }>(session, parts)).map(({ i }) => tables[i]!));
}

type Refused = Map<SeedTable, string>;

/** The quick way: natural values for all tables at once; the keys refer to rows as they were made. */
async function seedTogether(
  session: Session,
  schema: SeedSchema,
  groups: readonly SeedTable[][],
  options: SeedOptions,
): Promise<Refused> {
  const wanted = { ...options, sparse: false, shape: 0 };
  const made = new Map<SeedTable, readonly SeedRow[]>();
  const known = knownFrom(schema, made);
  const insertions: Insertion[] = [];
  for (const group of groups) {
    if (group.length > 1) for (const table of group) made.set(table, ownRows(schema, table, wanted));
    for (const table of group) made.set(table, makeRows(schema, table, known, wanted));
    const texts = group.map((table) => insertText(table, made.get(table)!));
    insertions.push({ table: group[0]!, statement: texts.length === 1 ? texts[0]! : togetherText(texts) });
  }
  const refusals = await runInsertions(session, insertions);
  return new Map(refusals.flatMap(({ index, message }) => groups[index]!.map((table) => [table, message] as const)));
}

/** The slow way for what was refused: keys as they are in the database, values that meet the checks, row by row. */
async function seedApart(
  session: Session,
  schema: SeedSchema,
  tables: readonly SeedTable[],
  wanted: RowsWanted,
): Promise<Refused> {
  const made = new Map<SeedTable, readonly SeedRow[]>(await readKeys(session, schema, tables, wanted.rows));
  const insertions: Insertion[] = [];
  for (const table of tables) {
    const rows = makeRows(schema, table, knownFrom(schema, made), wanted);
    const solved = await solveChecks(session, schema, table, rows);
    made.set(table, solved);
    for (const row of solved) insertions.push({ table, statement: insertText(table, [row]) });
  }
  return refusedOf(insertions, await runInsertions(session, insertions));
}

function refusedOf(insertions: readonly Insertion[], refusals: readonly Refusal[]): Refused {
  const failed = new Map(refusals.map(({ index, message }) => [index, message]));
  const taken = new Set(insertions.filter((_, index) => !failed.has(index)).map(({ table }) => table));
  const refused: Refused = new Map();
  for (const [index, { table }] of insertions.entries())
    if (!taken.has(table) && !refused.has(table)) refused.set(table, failed.get(index)!);
  return refused;
}

function knownFrom(schema: SeedSchema, made: ReadonlyMap<SeedTable, readonly SeedRow[]>): KnownRows {
  const holders = holdersOf(schema.tables);
  return (relation) => (holders.get(relation) ?? []).flatMap((table) => made.get(table) ?? []);
}
