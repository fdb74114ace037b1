import { qualified, quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { Losses } from "../plan/losses.ts";
import type { Plan, Preservation } from "../types.ts";
import { nthSchema, readPreserveFacts } from "./facts.ts";

/** Where copies of what is lost would be kept, table by table; empty where this role may not create a schema. */
export async function planCopies(
  session: Session,
  migration: { readonly name: string; readonly version: string },
  { tables, columns }: Losses,
): Promise<Omit<Preservation, "days">> {
  const none = { mode: "copy" as const, schema: null, kept: [] };
  if (tables.length + columns.length === 0) return { ...none, notes: ["no rows or columns of tables are lost"] };
  const facts = await readPreserveFacts(session, migration, []);
  if (!facts.mayCreateSchema)
    return { ...none, notes: ["no copies: this role may not create a schema in the database"] };
  const schemas = [...new Set([...tables, ...columns].map(({ schema }) => schema))].sort();
  const home = (schema: string) => nthSchema(facts.base, schemas.indexOf(schema));
  const taken = new Set(tables.map(({ schema, table }) => JSON.stringify([schema, table])));
  const kept: Preservation["kept"] = tables.map(({ schema, table, oid }) => ({
    kind: "table",
    schema,
    name: table,
    keptIn: home(schema),
    as: table,
    oid,
  }));
  for (const { schema, table, oid } of columns) {
    const as = freeName(table, (name) => taken.has(JSON.stringify([schema, name])));
    taken.add(JSON.stringify([schema, as]));
    kept.push({ kind: "columns", schema, name: table, keptIn: home(schema), as, oid });
  }
  return { mode: "copy", schema: facts.base, kept, notes: [] };
}

const mostCharacters = 50;

/** `orders_lost`, short enough for a name whatever letters it has. */
function freeName(table: string, isTaken: (name: string) => boolean): string {
  const base = new TextEncoder().encode(table).length > mostCharacters ? table.slice(0, 12) : table;
  for (let n = 1; ; n++) {
    const name = n === 1 ? `${base}_lost` : `${base}_lost_${n}`;
    if (!isTaken(name)) return name;
  }
}

/**
 * Copies what the plan loses into its private schemas, in the transaction that holds the tables against writers. Rows
 * keep their column types but those that go, which become text; no constraints, and generated values as they stand.
 */
export async function makeCopies(session: Session, plan: Pick<Plan, "preserve" | "effect">): Promise<void> {
  const { preserve, effect } = plan;
  if (preserve.mode !== "copy" || preserve.kept.length === 0) return;
  const schemas = [...new Set(preserve.kept.map(({ keptIn }) => keptIn))];
  const { grantees } = await readPreserveFacts(session, { name: "", version: "" }, []);
  for (const schema of schemas) {
    await session.run(`create schema ${quoteIdent(schema)}`);
    await session.run(`revoke all on schema ${quoteIdent(schema)} from ${["public", ...grantees].join(", ")}`);
  }
  for (const { kind, schema, name, keptIn, as, oid } of preserve.kept) {
    const columns = await columnsOf(session, oid, effect);
    const into = `create table ${qualified(keptIn, as)} as`;
    const from = `from only ${qualified(schema, name)}`;
    const lost = effect.columns.find((each) => each.oid === oid);
    if (kind === "table") await session.run(`${into} select ${columns.map(({ sql }) => sql).join(", ")} ${from}`);
    else if (lost !== undefined)
      await session.run(`${into} ${lostValues(columns, lost)} ${from} where ${anyOf(lost.columns)}`);
  }
}

/** The key, and the lost values as one jsonb column; without a key all that is not lost stands for it. */
function lostValues(
  columns: readonly CopiedColumn[],
  { columns: lost, key }: Plan["effect"]["columns"][number],
): string {
  const keys = columns.filter(({ name }) => (key === null ? !lost.includes(name) : key.includes(name)));
  const pairs = lost.flatMap((name) => [quoteLiteral(name), quoteIdent(name)]);
  const as = keys.some(({ name }) => name === "lost") ? "lost_values" : "lost";
  return `select ${[...keys.map(({ sql }) => sql), `pg_catalog.jsonb_build_object(${pairs.join(", ")}) as ${as}`].join(", ")}`;
}

function anyOf(columns: readonly string[]): string {
  return columns.map((name) => `${quoteIdent(name)} is not null`).join(" or ");
}

interface CopiedColumn {
  readonly name: string;
  readonly sql: string;
}

/** A table's columns as a copy selects them: a type that goes must not be held by the copy. */
async function columnsOf(session: Session, oid: number, effect: Plan["effect"]): Promise<CopiedColumn[]> {
  const going = effect.objects
    .filter(({ kind, change }) => change === "destroyed" && ["TYPE", "DOMAIN", "TABLE", "VIEW"].includes(kind))
    .map(({ schema, name }) => JSON.stringify([schema, name]));
  const extensions = effect.objects.filter(({ kind, change }) => kind === "EXTENSION" && change === "destroyed");
  const rows = await session.sql`
    with recursive used (attnum, oid) as (
      select attnum, atttypid from pg_attribute where attrelid = ${String(oid)}::text::oid and attnum > 0 and not attisdropped
      union
      select u.attnum, x.oid from used u join pg_type t on t.oid = u.oid cross join lateral (
        select t.typelem as oid where t.typelem <> 0 union all select t.typbasetype where t.typbasetype <> 0
        union all select r.rngsubtype from pg_range r where r.rngtypid = t.oid
        union all select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) x
    )
    select a.attname as name,
           array(select json_build_array(n.nspname, t.typname)::text from used u join pg_type t on t.oid = u.oid
                   join pg_namespace n on n.oid = t.typnamespace where u.attnum = a.attnum) as types,
           exists (select from used u join pg_depend d on d.classid = 'pg_type'::regclass and d.objid = u.oid and d.deptype = 'e'
                     join pg_extension e on e.oid = d.refobjid
                    where u.attnum = a.attnum and e.extname = any(${extensions.map(({ name }) => name)}::text[])) as extension
      from pg_attribute a
     where a.attrelid = ${String(oid)}::text::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`;
  return rows.map(({ name, types, extension }) => {
    const goes = extension || (types as string[]).some((type) => going.includes(JSON.stringify(JSON.parse(type))));
    const column = quoteIdent(name);
    return { name, sql: goes ? `${column}::pg_catalog.text as ${column}` : column };
  });
}
