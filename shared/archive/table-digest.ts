import { qualified, quoteIdent } from "../catalog/identifiers.ts";
import { BelayError } from "../errors.ts";
import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { withParameters } from "../postgres/settings.ts";

/** What to take the digest of: these columns of this table, without its children, and of these rows alone. */
export interface DigestSource {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** SQL condition; default: all rows. */
  readonly where?: string;
  /** SQL behind `FROM table` instead of a condition, as extensions say it of their configuration tables. */
  readonly suffix?: string;
}

export interface TableDigest {
  readonly rows: number;
  /** Sum of the rows' hashes, as decimal text. Finds accidents, not adversaries: objects have a sha256 besides. */
  readonly digest: string;
}

/** Types whose hash does not depend on oids or settings and tells all values apart (facts, "Digests"). */
const hashedNatively = new Set(["bool", "int2", "int4", "int8", "uuid", "bytea", "date", "timestamp"]);

/** Under which a value's text is the same on every server. */
export const textParameters = {
  search_path: "",
  row_security: "off",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  lc_monetary: "C",
};

/**
 * Count and sum of row hashes over the columns in name order: the same for the same rows in another database, in any
 * order, with columns in another order and types made anew.
 */
export async function tableDigest(session: Session, source: DigestSource): Promise<TableDigest> {
  const [digest] = await tableDigests(session, [source]);
  return digest!;
}

/** Tables whose digests one query takes. */
const perQuery = 50;

/** The digests of many tables, in their order, for few round trips. */
export async function tableDigests(session: Session, sources: readonly DigestSource[]): Promise<TableDigest[]> {
  const digests: TableDigest[] = [];
  try {
    await withParameters(session, textParameters, async () => {
      const types = await columnTypes(session, sources);
      for (let at = 0; at < sources.length; at += perQuery) {
        const part = sources.slice(at, at + perQuery);
        const rows = await session.run(
          part.map((source, index) => digestQuery(source, types, index)).join("\nunion all "),
        );
        const byIndex = new Map(rows.map((row) => [row.index as number, row]));
        for (const index of part.keys()) {
          const row = byIndex.get(index)!;
          digests.push({ rows: Number(row.rows), digest: row.digest as string });
        }
      }
    });
    return digests;
  } catch (error) {
    const [{ schema, table }] = sources as [DigestSource];
    const of = sources.length === 1 ? qualified(schema, table) : `${sources.length} tables`;
    throw databaseError(error, { doing: `taking the digest of ${of}` });
  }
}

interface ColumnType {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly builtin: boolean;
  readonly deterministic: boolean | null;
}

async function columnTypes(session: Session, sources: readonly DigestSource[]): Promise<Map<string, ColumnType>> {
  const found = await session.sql<ColumnType[]>`
    select n.nspname as schema, c.relname as table, a.attname as name, t.typname as type,
      t.typnamespace = 'pg_catalog'::regnamespace as builtin, l.collisdeterministic as deterministic
    from unnest(${sources.map(({ schema }) => schema)}::text[], ${sources.map(({ table }) => table)}::text[]) as s (schema, name)
    join pg_catalog.pg_namespace n on n.nspname = s.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = s.name
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_collation l on l.oid = a.attcollation`;
  return new Map(found.map((column) => [JSON.stringify([column.schema, column.table, column.name]), column]));
}

/** A sum of bigints is exact and cheap: the server adds them in 128 bits. */
function digestQuery(source: DigestSource, types: ReadonlyMap<string, ColumnType>, index: number): string {
  const columns = hashedColumns(source, types);
  const name = qualified(source.schema, source.table);
  const where = source.where === undefined ? "" : ` where ${source.where}`;
  const from = source.suffix === undefined ? `only ${name}${where}` : `(select * from ${name} ${source.suffix}) as t`;
  return `select ${index} as index, count(*)::text as rows,
    coalesce(sum(pg_catalog.hash_record_extended(row(${columns.join(", ")}), 0)), 0)::text as digest
    from ${from}`;
}

function hashedColumns({ schema, table, columns }: DigestSource, types: ReadonlyMap<string, ColumnType>): string[] {
  return [...columns].sort().map((name) => {
    const column = types.get(JSON.stringify([schema, table, name]));
    if (column === undefined)
      throw new BelayError("archive_invalid", `${qualified(schema, table)} has no column ${quoteIdent(name)}`, {
        hint: "The table is not the one that was archived.",
      });
    const native = hashedNatively.has(column.type) || (column.type === "text" && column.deterministic === true);
    return column.builtin && native ? quoteIdent(name) : `${quoteIdent(name)}::text collate "C"`;
  });
}
