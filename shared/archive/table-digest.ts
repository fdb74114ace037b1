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
  const name = qualified(source.schema, source.table);
  try {
    return await withParameters(session, textParameters, async () => {
      const hash = `pg_catalog.hash_record_extended(row(${(await hashedColumns(session, source)).join(", ")}), 0)`;
      const where = source.where === undefined ? "" : ` where ${source.where}`;
      const [row] = await session.run(`select count(*)::text as rows,
        coalesce(sum(${hash}::numeric), 0)::text as digest from only ${name}${where}`);
      return { rows: Number(row!.rows), digest: row!.digest as string };
    });
  } catch (error) {
    throw databaseError(error, { doing: `taking the digest of ${name}` });
  }
}

async function hashedColumns(session: Session, { schema, table, columns }: DigestSource): Promise<string[]> {
  const found = await session.sql<{ name: string; type: string; builtin: boolean; deterministic: boolean | null }[]>`
    select a.attname as name, t.typname as type, t.typnamespace = 'pg_catalog'::regnamespace as builtin,
      l.collisdeterministic as deterministic
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_collation l on l.oid = a.attcollation
    where n.nspname = ${schema} and c.relname = ${table} and a.attnum > 0 and not a.attisdropped`;
  const types = new Map(found.map((column) => [column.name, column]));
  return [...columns].sort().map((name) => {
    const column = types.get(name);
    if (column === undefined)
      throw new BelayError("archive_invalid", `${qualified(schema, table)} has no column ${quoteIdent(name)}`, {
        hint: "The table is not the one that was archived.",
      });
    const native = hashedNatively.has(column.type) || (column.type === "text" && column.deterministic === true);
    return column.builtin && native ? quoteIdent(name) : `${quoteIdent(name)}::text collate "C"`;
  });
}
