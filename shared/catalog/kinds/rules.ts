import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { addressOf, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";

interface RuleRow {
  readonly oid: number;
  readonly name: string;
  readonly relation: number;
  readonly definition: string;
  /** O enabled, D disabled, R replica, A always. */
  readonly enabled: "O" | "D" | "R" | "A";
}

/** RULE entries, without the SELECT rules that make a view a view. */
export const rules: KindReader = async (context) => {
  if (!touches(context, catalogOid.rewrite)) return [];
  const rows = await context.session.sql<RuleRow[]>`
    select r.oid::int8::float8 as oid, r.rulename::text as name, r.ev_class::int8::float8 as relation,
      pg_catalog.pg_get_ruledef(r.oid) as definition, r.ev_enabled::text as enabled
    from pg_catalog.pg_rewrite r
    join pg_catalog.pg_class c on c.oid = r.ev_class
    where c.relnamespace = any(${context.schemaOids as number[]}::oid[])
      and not (c.relkind in ('v', 'm') and r.ev_type = '1' and r.is_instead)
      ${inScope(context, catalogOid.rewrite, context.session.sql`r.oid`)}
    order by r.oid`;
  const relations = await readRelations(context);
  return rows.flatMap((row) => {
    const table = relations.get(row.relation);
    return table === undefined || table.isExtensionMember ? [] : [ruleEntry(table, row)];
  });
};

const states = { O: "", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" } as const;

function ruleEntry(table: Relation, row: RuleRow): RawEntry {
  const name = quoteIdent(row.name);
  const state = row.enabled === "O" ? "" : `ALTER TABLE ${relationName(table)} ${states[row.enabled]} RULE ${name};\n`;
  return {
    kind: "RULE",
    schema: table.schema,
    name: `${table.name} ${row.name}`,
    owner: table.owner,
    section: "post-data",
    create: `${row.definition}\n${state}`,
    drop: `DROP RULE ${name} ON ${relationName(table)};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.rewrite, row.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid)],
  };
}
