import { qualified, quoteLiteral } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface AggregateRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly kind: "n" | "o" | "h";
  readonly arguments: string;
  readonly identityArguments: string;
  readonly inputTypes: string | null;
  readonly parallel: "s" | "r" | "u";
  readonly transition: string;
  readonly stateType: string;
  readonly stateSpace: number;
  readonly initial: string | null;
  readonly final: string | null;
  readonly finalExtra: boolean;
  readonly finalModify: string;
  readonly combine: string | null;
  readonly serial: string | null;
  readonly deserial: string | null;
  readonly movingTransition: string | null;
  readonly movingInverse: string | null;
  readonly movingStateType: string;
  readonly movingStateSpace: number;
  readonly movingInitial: string | null;
  readonly movingFinal: string | null;
  readonly movingFinalExtra: boolean;
  readonly movingFinalModify: string;
  readonly sortOperator: string | null;
}

const modifyWords: Record<string, string> = { r: "READ_ONLY", s: "SHAREABLE", w: "READ_WRITE" };

/** AGGREGATE entries. */
export const aggregates: KindReader = async (context) => {
  const { session, schemaOids } = context;
  if (!touches(context, catalog.proc)) return [];
  const rows = await session.sql<AggregateRow[]>`
    select p.oid, s.nspname as schema, proname as name, pg_get_userbyid(proowner) as owner, aggkind as kind,
      pg_get_function_arguments(p.oid) as arguments,
      pg_get_function_identity_arguments(p.oid) as "identityArguments",
      (select string_agg(format_type(type, null), ', ' order by n)
        from unnest(proargtypes) with ordinality as a (type, n)) as "inputTypes",
      proparallel as parallel, aggtransfn::text as transition, format_type(aggtranstype, null) as "stateType",
      aggtransspace as "stateSpace", agginitval as initial, nullif(aggfinalfn::text, '-') as final,
      aggfinalextra as "finalExtra", aggfinalmodify as "finalModify", nullif(aggcombinefn::text, '-') as combine,
      nullif(aggserialfn::text, '-') as serial, nullif(aggdeserialfn::text, '-') as deserial,
      nullif(aggmtransfn::text, '-') as "movingTransition", nullif(aggminvtransfn::text, '-') as "movingInverse",
      format_type(aggmtranstype, null) as "movingStateType", aggmtransspace as "movingStateSpace",
      aggminitval as "movingInitial", nullif(aggmfinalfn::text, '-') as "movingFinal",
      aggmfinalextra as "movingFinalExtra", aggmfinalmodify as "movingFinalModify",
      case when aggsortop <> 0 then quote_ident(os.nspname) || '.' || o.oprname end as "sortOperator"
    from pg_proc p
      join pg_aggregate a on a.aggfnoid = p.oid
      join pg_namespace s on s.oid = pronamespace
      left join pg_operator o on o.oid = aggsortop left join pg_namespace os on os.oid = oprnamespace
    where pronamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
      ${inScope(context, catalog.proc, session.sql`p.oid`)}`;
  return rows.map(aggregateEntry);
};

function aggregateEntry(row: AggregateRow): RawEntry {
  const name = qualified(row.schema, row.name);
  const options = aggregateOptions(row).map((option) => `\n    ${option}`);
  return rawEntry({
    kind: "AGGREGATE",
    schema: row.schema,
    name: `${row.name}(${row.inputTypes ?? "*"})`,
    owner: row.owner,
    create: `CREATE AGGREGATE ${name}(${row.arguments || "*"}) (${options}\n);\n`,
    drop: `DROP AGGREGATE ${name}(${row.identityArguments || "*"});\n`,
    address: address(catalog.proc, row.oid),
  });
}

function aggregateOptions(row: AggregateRow): string[] {
  const text = (name: string, value: string | null) => (value === null ? [] : [`${name} = ${value}`]);
  const literal = (name: string, value: string | null) => text(name, value === null ? null : quoteLiteral(value));
  const size = (name: string, value: number) => text(name, value === 0 ? null : String(value));
  return [
    `SFUNC = ${row.transition}`,
    `STYPE = ${row.stateType}`,
    ...size("SSPACE", row.stateSpace),
    ...literal("INITCOND", row.initial),
    ...finalOptions(row, "", row.final, row.finalExtra, row.finalModify),
    ...text("COMBINEFUNC", row.combine),
    ...text("SERIALFUNC", row.serial),
    ...text("DESERIALFUNC", row.deserial),
    ...(row.movingTransition === null ? [] : movingOptions(row, { text, literal, size })),
    ...text("SORTOP", row.sortOperator === null ? null : `OPERATOR(${row.sortOperator})`),
    ...(row.kind === "h" ? ["HYPOTHETICAL"] : []),
    ...(row.parallel === "u" ? [] : [`PARALLEL = ${row.parallel === "s" ? "safe" : "restricted"}`]),
  ];
}

interface Writers {
  text(name: string, value: string | null): string[];
  literal(name: string, value: string | null): string[];
  size(name: string, value: number): string[];
}

function movingOptions(row: AggregateRow, { text, literal, size }: Writers): string[] {
  return [
    ...text("MSFUNC", row.movingTransition),
    ...text("MINVFUNC", row.movingInverse),
    ...text("MSTYPE", row.movingStateType),
    ...size("MSSPACE", row.movingStateSpace),
    ...literal("MINITCOND", row.movingInitial),
    ...finalOptions(row, "M", row.movingFinal, row.movingFinalExtra, row.movingFinalModify),
  ];
}

function finalOptions(
  row: AggregateRow,
  prefix: string,
  name: string | null,
  extra: boolean,
  modify: string,
): string[] {
  if (name === null) return [];
  const usual = row.kind === "n" ? "r" : "w";
  return [
    `${prefix}FINALFUNC = ${name}`,
    ...(extra ? [`${prefix}FINALFUNC_EXTRA`] : []),
    ...(modify === usual ? [] : [`${prefix}FINALFUNC_MODIFY = ${modifyWords[modify]}`]),
  ];
}
