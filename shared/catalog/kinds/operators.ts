import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { functionName } from "./signatures.ts";

interface OperatorRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** A regprocedure's text, as the two estimators are. */
  readonly function: string;
  readonly left: string | null;
  readonly right: string | null;
  readonly commutator: Related | null;
  readonly negator: Related | null;
  readonly merges: boolean;
  readonly hashes: boolean;
  readonly restrict: string;
  readonly join: string;
}

interface Related {
  readonly namespace: number;
  readonly schema: string;
  readonly name: string;
}

/** OPERATOR entries. One that was only named as another's commutator or negator has no function: that other brings it along. */
export const operators: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_operator")) return [];
  const related = (oid: "oprcom" | "oprnegate") => session.sql`(
    select json_build_object('namespace', r.oprnamespace::int8, 'schema', rn.nspname, 'name', r.oprname)
    from pg_operator r join pg_namespace rn on rn.oid = r.oprnamespace where r.oid = o.${session.sql(oid)})`;
  const rows = await session.sql<OperatorRow[]>`
    select o.oid, n.nspname as schema, oprname as name, pg_get_userbyid(oprowner) as owner,
      oprcode::regprocedure::text as function,
      case when oprkind in ('r', 'b') then format_type(oprleft, null) end as left,
      case when oprkind in ('l', 'b') then format_type(oprright, null) end as right,
      ${related("oprcom")} as commutator, ${related("oprnegate")} as negator,
      oprcanmerge as merges, oprcanhash as hashes,
      oprrest::regprocedure::text as restrict, oprjoin::regprocedure::text as join
    from pg_operator o join pg_namespace n on n.oid = oprnamespace
    where oprnamespace = any (${[...schemaOids]}::oid[]) and oprcode <> 0
      and not exists (select from pg_depend where classid = 'pg_operator'::regclass and objid = o.oid and deptype = 'e')
      ${inScope(context, catalog.operator, session.sql`o.oid`)}`;
  return rows.map(operatorEntry);
};

function operatorEntry(row: OperatorRow): RawEntry {
  const name = `${quoteIdent(row.schema)}.${row.name}`;
  const clauses = [
    ["FUNCTION", functionName(row.function)],
    ["LEFTARG", row.left],
    ["RIGHTARG", row.right],
    ["COMMUTATOR", relatedText(row.commutator)],
    ["NEGATOR", relatedText(row.negator)],
    ["MERGES", row.merges ? "" : null],
    ["HASHES", row.hashes ? "" : null],
    ["RESTRICT", functionName(row.restrict)],
    ["JOIN", functionName(row.join)],
  ].filter(([, value]) => value !== null);
  const text = clauses.map(([word, value]) => `    ${word}${value === "" ? "" : ` = ${value}`}`).join(",\n");
  return rawEntry({
    kind: "OPERATOR",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `CREATE OPERATOR ${name} (\n${text}\n);\n`,
    drop: `DROP OPERATOR ${name} (${row.left ?? "NONE"}, ${row.right ?? "NONE"});\n`,
    address: address(catalog.operator, row.oid),
    // A commutator that is not there yet is made in its schema, of which pg_depend says nothing.
    dependsOn: [row.commutator, row.negator].flatMap((other) =>
      other === null ? [] : [address(catalog.namespace, other.namespace)],
    ),
  });
}

function relatedText(operator: Related | null): string | null {
  return operator === null ? null : `OPERATOR(${quoteIdent(operator.schema)}.${operator.name})`;
}
