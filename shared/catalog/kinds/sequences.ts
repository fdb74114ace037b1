import { quoteIdent } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { type Column, readColumns } from "./columns.ts";
import { inScope, touchesRelations } from "./in-scope.ts";
import { addressOf, catalogOid, noAddress, type Relation, readRelations, relationName } from "./relations.ts";

interface SequenceRow {
  readonly oid: number;
  readonly type: "smallint" | "integer" | "bigint";
  readonly start: string;
  readonly increment: string;
  readonly maximum: string;
  readonly minimum: string;
  readonly cache: string;
  readonly cycle: boolean;
  /** Oid of the table that owns the sequence, and the number of its column. */
  readonly table: number | null;
  readonly column: number | null;
  /** i: the sequence of an identity column. */
  readonly ownership: "a" | "i" | null;
}

/** A sequence with what it belongs to. */
interface Sequence extends SequenceRow {
  readonly relation: Relation;
  readonly owner: { readonly table: Relation; readonly column: Column } | null;
}

/** SEQUENCE and SEQUENCE OWNED BY entries; an identity column's sequence is written as ADD GENERATED. */
export const sequences: KindReader = async (context) => {
  const entries: RawEntry[] = [];
  for (const sequence of await readSequences(context)) {
    entries.push(sequenceEntry(sequence));
    if (sequence.owner !== null && sequence.ownership === "a") entries.push(ownedByEntry(sequence));
  }
  return entries;
};

async function readSequences(context: KindContext): Promise<Sequence[]> {
  if (!touchesRelations(context, "S")) return [];
  const rows = await context.session.sql<SequenceRow[]>`
    select s.seqrelid::int8::float8 as oid, pg_catalog.format_type(s.seqtypid, null) as type, s.seqstart::text as start,
      s.seqincrement::text as increment, s.seqmax::text as maximum, s.seqmin::text as minimum,
      s.seqcache::text as cache, s.seqcycle as cycle,
      d.refobjid::int8::float8 as table, d.refobjsubid::int as column, d.deptype::text as ownership
    from pg_catalog.pg_sequence s
    left join pg_catalog.pg_depend d
      on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.seqrelid and d.objsubid = 0
      and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
    where true ${inScope(context, catalogOid.class, context.session.sql`s.seqrelid`)}
    order by s.seqrelid`;
  const relations = await readRelations(context);
  const columns = await readColumns(context);
  return rows.flatMap((row) => {
    const relation = relations.get(row.oid);
    const table = row.table === null ? undefined : relations.get(row.table);
    const column = columns.get(row.table ?? 0)?.find(({ number }) => number === row.column);
    if (relation === undefined || relation.isExtensionMember || table?.isExtensionMember) return [];
    return [{ ...row, relation, owner: table !== undefined && column !== undefined ? { table, column } : null }];
  });
}

/** CREATE SEQUENCE, or the ALTER TABLE that makes an identity column. */
export function createSequence(sequence: Sequence): string {
  const { relation, owner } = sequence;
  const name = relationName(relation);
  const { minimum, maximum } = limits(sequence);
  const options =
    `    START WITH ${sequence.start}\n    INCREMENT BY ${sequence.increment}\n` +
    (minimum === null ? "    NO MINVALUE\n" : `    MINVALUE ${minimum}\n`) +
    (maximum === null ? "    NO MAXVALUE\n" : `    MAXVALUE ${maximum}\n`) +
    `    CACHE ${sequence.cache}${sequence.cycle ? "\n    CYCLE" : ""}`;
  if (sequence.ownership !== "i" || owner === null) {
    const unlogged = relation.persistence === "u" ? "UNLOGGED " : "";
    const type = sequence.type === "bigint" ? "" : `    AS ${sequence.type}\n`;
    return `CREATE ${unlogged}SEQUENCE ${name}\n${type}${options};\n`;
  }
  const persistence =
    relation.persistence === owner.table.persistence
      ? ""
      : `    ${relation.persistence === "u" ? "UNLOGGED" : "LOGGED"}\n`;
  return (
    `ALTER TABLE ${relationName(owner.table)} ALTER COLUMN ${quoteIdent(owner.column.name)} ` +
    `ADD GENERATED ${owner.column.identity} AS IDENTITY (\n    SEQUENCE NAME ${name}\n${persistence}${options}\n);\n`
  );
}

const bits = { smallint: 16n, integer: 32n, bigint: 64n } as const;

/** Minimum and maximum where they are not the type's own for the sequence's direction. */
function limits(sequence: SequenceRow): { minimum: string | null; maximum: string | null } {
  const half = 2n ** (bits[sequence.type] - 1n);
  const ascending = !sequence.increment.startsWith("-");
  const lowest = ascending ? 1n : -half;
  const highest = ascending ? half - 1n : -1n;
  return {
    minimum: BigInt(sequence.minimum) === lowest ? null : sequence.minimum,
    maximum: BigInt(sequence.maximum) === highest ? null : sequence.maximum,
  };
}

function sequenceEntry(sequence: Sequence): RawEntry {
  const { relation, owner } = sequence;
  const isIdentity = sequence.ownership === "i";
  return {
    kind: "SEQUENCE",
    schema: relation.schema,
    name: relation.name,
    owner: relation.owner,
    section: "pre-data",
    create: createSequence(sequence),
    drop: isIdentity ? "" : `DROP SEQUENCE ${relationName(relation)};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.class, relation.oid),
    dependsOn: owner === null ? [] : [addressOf(catalogOid.class, owner.table.oid)],
  };
}

function ownedByEntry({ relation, owner }: Sequence): RawEntry {
  return {
    kind: "SEQUENCE OWNED BY",
    schema: relation.schema,
    name: relation.name,
    owner: relation.owner,
    section: "pre-data",
    create: `ALTER SEQUENCE ${relationName(relation)} OWNED BY ${relationName(owner!.table)}.${quoteIdent(owner!.column.name)};\n`,
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    address: noAddress,
    dependsOn: [addressOf(catalogOid.class, relation.oid), addressOf(catalogOid.class, owner!.table.oid)],
    usesCatalogDependencies: false,
  };
}
