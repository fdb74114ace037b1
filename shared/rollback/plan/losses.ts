import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import { readWrittenSince } from "../../migrations/sync/counters.ts";
import type { Session } from "../../postgres/session.ts";
import { addressKey, classOid, type DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import type { Effect } from "../types.ts";
import { type Written, writtenSince } from "./written.ts";

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

export interface TableStats {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** The planner's estimate; -1 when never analysed. */
  readonly estimate: number;
  readonly bytes: number;
  readonly why: string | null;
  readonly written: number | null;
}

export interface LossOptions {
  /** When the oldest of the migrations was applied. */
  readonly appliedAt: string | null;
  readonly countUpToRows: number;
  /** Oids of tables that the migrations made. */
  readonly createdTables: ReadonlySet<number>;
  /** The migration whose rollback SQL takes rows or columns of a table, by its oid. */
  takenBy(oid: number): string;
}

/** Counts what would be lost: rows, bytes and writes since the migration, table by table, partitions apart. */
export async function readLosses(
  session: Session,
  effect: ResolvedEffect,
  graph: DependencyGraph,
  options: LossOptions,
): Promise<Losses> {
  const wanted = [...effect.lostTables, ...effect.lostColumns.map((each) => each.relid)];
  const stats = await readStats(session, wanted, options.appliedAt);
  const readings = await readWrittenSince(session, [...new Set(wanted.map(options.takenBy))], wanted);
  const written = (table: TableStats, rows: number) =>
    writtenSince(table, rows, readings.get(options.takenBy(table.oid)), {
      created: options.createdTables.has(table.oid),
      appliedAt: options.appliedAt,
    });
  const tables: LostTable[] = [];
  for (const oid of effect.lostTables) {
    const table = stats.get(oid);
    if (table === undefined) continue;
    const lost = await lostTable(session, table, options);
    tables.push({ ...lost, ...written(table, lost.rows) });
  }
  const columns: LostColumns[] = [];
  for (const lost of effect.lostColumns) {
    const table = stats.get(lost.relid);
    if (table === undefined) continue;
    const own = await lostColumns(session, table, lost.numbers, effect, graph, options);
    columns.push({ ...own, ...written(table, own.rows) });
  }
  const unreadable = [...stats.values()].flatMap(({ schema, name, why }) =>
    why === null ? [] : [{ schema, table: name, why }],
  );
  return { tables, columns, sequences: await lostSequences(session, effect), unreadable };
}

/** Estimate, size and what stands in the way of reading them, by oid. */
export async function readStats(
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

/** Counted, or estimated above `countUpToRows`. */
export async function lostTable(
  session: Session,
  table: TableStats,
  options: { countUpToRows: number },
): Promise<Omit<LostTable, keyof Written>> {
  const exact = countable(table, options.countUpToRows);
  const rows = exact ? await countRows(session, table) : Math.max(0, Math.round(table.estimate));
  return {
    schema: table.schema,
    table: table.name,
    oid: table.oid,
    rows,
    exact,
    bytes: table.bytes,
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
): Promise<Omit<LostColumns, keyof Written>> {
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

async function lostSequences(
  session: Session,
  { lostSequences: oids, gone }: Pick<ResolvedEffect, "lostSequences" | "gone">,
): Promise<LostSequence[]> {
  if (oids.length === 0) return [];
  const going = new Set(gone);
  const rows = await session.sql`
    select c.oid::int8 as oid, n.nspname as schema, c.relname as name, has_sequence_privilege(c.oid, 'select') as readable
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids.map(String)}::text[]::oid[]) order by 2, 3`;
  const result: LostSequence[] = [];
  for (const row of rows) {
    const [value] = row.readable
      ? await session.sql.unsafe(`select last_value::text as value from ${qualified(row.schema, row.name)}`)
      : [{ value: "unknown" }];
    const stays = !going.has(addressKey(classOid.relation, Number(row.oid), 0));
    result.push({ schema: row.schema, name: row.name, oid: Number(row.oid), lastValue: value!.value, stays });
  }
  return result;
}
