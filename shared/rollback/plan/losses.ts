import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import type { Effect } from "../types.ts";

type LostTable = Effect["tables"][number];
type LostColumns = Effect["columns"][number];
type LostSequence = Effect["sequences"][number];

/** A table whose rows cannot be read by this role, and why. */
export interface UnreadableTable {
  readonly schema: string;
  readonly table: string;
  readonly why: string;
}

export interface Losses {
  readonly tables: readonly LostTable[];
  readonly columns: readonly LostColumns[];
  readonly sequences: readonly LostSequence[];
  readonly unreadable: readonly UnreadableTable[];
}

interface TableStats {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** The planner's estimate; -1 when never analysed. */
  readonly estimate: number;
  readonly bytes: number;
  readonly why: string | null;
  readonly written: number | null;
}

/** Counts what would be lost: rows, bytes and writes since `appliedAt`, table by table, partitions apart. */
export async function readLosses(
  session: Session,
  effect: ResolvedEffect,
  graph: DependencyGraph,
  options: { appliedAt: string | null; countUpToRows: number; createdTables: ReadonlySet<number> },
): Promise<Losses> {
  const wanted = [...effect.lostTables, ...effect.lostColumns.map((each) => each.relid)];
  const stats = await readStats(session, wanted, options.appliedAt);
  const tables: LostTable[] = [];
  for (const oid of effect.lostTables) {
    const table = stats.get(oid);
    if (table !== undefined) tables.push(await lostTable(session, table, options));
  }
  const columns: LostColumns[] = [];
  for (const lost of effect.lostColumns) {
    const table = stats.get(lost.relid);
    if (table !== undefined) columns.push(await lostColumns(session, table, lost.numbers, effect, graph, options));
  }
  const unreadable = [...stats.values()].flatMap(({ schema, name, why }) =>
    why === null ? [] : [{ schema, table: name, why }],
  );
  return { tables, columns, sequences: await lostSequences(session, effect.lostSequences), unreadable };
}

async function readStats(
  session: Session,
  oids: readonly number[],
  appliedAt: string | null,
): Promise<Map<number, TableStats>> {
  if (oids.length === 0) return new Map();
  const rows = await session.sql`
    select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.reltuples::float8 as estimate,
           pg_total_relation_size(c.oid)::float8 as bytes,
           case when not has_table_privilege(c.oid, 'select') then 'role ' || current_user || ' may not read it'
                when row_security_active(c.oid) then 'row-level security hides rows from role ' || current_user end as why,
           case when ${appliedAt}::timestamptz is null or d.stats_reset > ${appliedAt}::timestamptz then null
                else (s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::float8 end as written,
           s.n_tup_ins::float8 as inserted
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
           left join pg_stat_all_tables s on s.relid = c.oid
           left join pg_stat_database d on d.datname = current_database()
     where c.oid = any(${oids.map(String)}::text[]::oid[]) and has_schema_privilege(n.oid, 'usage')`;
  return new Map(
    rows.map((row) => [
      Number(row.oid),
      {
        oid: Number(row.oid),
        schema: row.schema,
        name: row.name,
        estimate: row.estimate,
        bytes: row.bytes,
        why: row.why,
        written: row.written,
      },
    ]),
  );
}

async function lostTable(
  session: Session,
  table: TableStats,
  options: { countUpToRows: number; createdTables: ReadonlySet<number> },
): Promise<LostTable> {
  const exact = countable(table, options.countUpToRows);
  const rows = exact ? await countRows(session, table) : Math.max(0, Math.round(table.estimate));
  // The counters begin with the table: only for a table that the migration made do they say what came since. Fewer
  // writes than rows means that the server lost its counters.
  const known = options.createdTables.has(table.oid) && table.written !== null && table.written >= rows;
  return {
    schema: table.schema,
    table: table.name,
    oid: table.oid,
    rows,
    exact,
    bytes: table.bytes,
    writtenSince: known ? table.written : null,
  };
}

function countable(table: TableStats, most: number): boolean {
  return table.why === null && table.estimate <= most;
}

async function countRows(session: Session, table: TableStats): Promise<number> {
  const [row] = await session.sql.unsafe(
    `select count(*)::float8 as rows from only ${qualified(table.schema, table.name)}`,
  );
  return row!.rows;
}

async function lostColumns(
  session: Session,
  table: TableStats,
  numbers: readonly number[],
  effect: ResolvedEffect,
  graph: DependencyGraph,
  options: { countUpToRows: number },
): Promise<LostColumns> {
  const own = graph.columns.filter((each) => each.relid === table.oid);
  const columns = own.filter((each) => numbers.includes(each.number)).map((each) => each.name);
  const exact = countable(table, options.countUpToRows);
  const { rows, bytes } = exact
    ? await countValues(session, table, columns)
    : { rows: Math.max(0, Math.round(table.estimate)), bytes: 0 };
  return {
    schema: table.schema,
    table: table.name,
    oid: table.oid,
    columns,
    key: mergeKey(graph, table.oid, numbers, effect),
    rows,
    exact,
    bytes,
  };
}

async function countValues(session: Session, table: TableStats, columns: readonly string[]) {
  const names = columns.map(quoteIdent);
  const [row] = await session.sql.unsafe(
    `select count(*) filter (where ${names.map((name) => `${name} is not null`).join(" or ")})::float8 as rows,
            coalesce(sum(${names.map((name) => `coalesce(pg_column_size(${name}), 0)`).join(" + ")}), 0)::float8 as bytes
       from only ${qualified(table.schema, table.name)}`,
  );
  return { rows: row!.rows as number, bytes: row!.bytes as number };
}

/** The primary key, else the smallest unique index over NOT NULL columns; it must outlive the rollback. */
export function mergeKey(
  graph: DependencyGraph,
  relid: number,
  lost: readonly number[],
  effect: Pick<ResolvedEffect, "lostIndexes">,
): string[] | null {
  const columns = new Map(graph.columns.filter((each) => each.relid === relid).map((each) => [each.number, each]));
  const usable = graph.indexes.filter(
    (index) =>
      index.relid === relid &&
      index.unique &&
      index.plain &&
      !effect.lostIndexes.includes(index.oid) &&
      index.columns.every((number) => columns.get(number)?.notNull === true && !lost.includes(number)),
  );
  usable.sort((a, b) => Number(b.primary) - Number(a.primary) || a.columns.length - b.columns.length || a.oid - b.oid);
  const best = usable[0];
  return best === undefined ? null : best.columns.map((number) => columns.get(number)!.name);
}

async function lostSequences(session: Session, oids: readonly number[]): Promise<LostSequence[]> {
  if (oids.length === 0) return [];
  const rows = await session.sql`
    select c.oid::int8 as oid, n.nspname as schema, c.relname as name, has_sequence_privilege(c.oid, 'select') as readable
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids.map(String)}::text[]::oid[]) order by 2, 3`;
  const result: LostSequence[] = [];
  for (const row of rows) {
    const [value] = row.readable
      ? await session.sql.unsafe(`select last_value::text as value from ${qualified(row.schema, row.name)}`)
      : [{ value: "unknown" }];
    result.push({ schema: row.schema, name: row.name, oid: Number(row.oid), lastValue: value!.value });
  }
  return result;
}
