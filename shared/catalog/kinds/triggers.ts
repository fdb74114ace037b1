import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { addressOf, alterTable, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";

interface TriggerRow {
  readonly oid: number;
  readonly name: string;
  readonly relation: number;
  readonly definition: string;
  /** O enabled, D disabled, R replica, A always. */
  readonly enabled: "O" | "D" | "R" | "A";
  /** Oid of the partitioned table's trigger that this one was cloned from, or 0. */
  readonly parent: number;
  readonly extensions: readonly string[];
}

/** TRIGGER entries; clones on partitions only where they are enabled otherwise than the trigger they came from. */
export const triggers: KindReader = async (context) => {
  if (!touches(context, catalogOid.trigger)) return [];
  const rows = await context.session.sql<TriggerRow[]>`
    select t.oid::int8::float8 as oid, t.tgname::text as name, t.tgrelid::int8::float8 as relation,
      pg_catalog.pg_get_triggerdef(t.oid, false) as definition, t.tgenabled::text as enabled,
      t.tgparentid::int8::float8 as parent,
      coalesce(e.names, '{}') as extensions
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    left join pg_catalog.pg_trigger u on u.oid = t.tgparentid
    left join lateral (
      select array_agg(p.extname::text order by p.extname) as names
      from pg_catalog.pg_depend d join pg_catalog.pg_extension p on p.oid = d.refobjid
      where d.classid = 'pg_catalog.pg_trigger'::regclass and d.objid = t.oid and d.deptype = 'x'
        and d.refclassid = 'pg_catalog.pg_extension'::regclass) e on true
    where c.relnamespace = any(${context.schemaOids as number[]}::oid[])
      and ((not t.tgisinternal and t.tgparentid = 0) or t.tgenabled <> u.tgenabled)
      ${inScope(context, catalogOid.trigger, context.session.sql`t.oid`)}
    order by t.tgrelid, t.tgname`;
  const relations = await readRelations(context);
  return rows.flatMap((row) => {
    const table = relations.get(row.relation);
    return table === undefined || table.isExtensionMember ? [] : [triggerEntry(table, row)];
  });
};

const states = { O: "ENABLE", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" } as const;

/** CREATE TRIGGER with its state; for a partition's clone the state alone. */
export function createTrigger(table: Relation, trigger: TriggerRow): string {
  const on = `${quoteIdent(trigger.name)} ON ${relationName(table)}`;
  const state = `\n${alterTable(table)} ${relationName(table)} ${states[trigger.enabled]} TRIGGER ${quoteIdent(trigger.name)};\n`;
  if (trigger.parent !== 0) return state;
  const extensions = trigger.extensions.map(
    (extension) => `ALTER TRIGGER ${on} DEPENDS ON EXTENSION ${quoteIdent(extension)};\n`,
  );
  return `${trigger.definition};\n${extensions.join("")}${trigger.enabled === "O" ? "" : state}`;
}

function triggerEntry(table: Relation, row: TriggerRow): RawEntry {
  return {
    kind: "TRIGGER",
    schema: table.schema,
    name: `${table.name} ${row.name}`,
    owner: table.owner,
    section: "post-data",
    create: createTrigger(table, row),
    drop: row.parent === 0 ? `DROP TRIGGER ${quoteIdent(row.name)} ON ${relationName(table)};\n` : "",
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.trigger, row.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid)],
  };
}
