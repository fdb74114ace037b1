import { createHash } from "node:crypto";
import { qualified, quoteIdent, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { Remembered } from "../transaction/remembered.ts";

/** Statements that lead there in three steps, since names may be exchanged. */
interface Steps {
  readonly aside: readonly string[];
  readonly moves: readonly string[];
  readonly back: readonly string[];
}

/** Tables and columns that the rollback renamed or moved get their names and schemas back; their rows never left. */
export function renamingsBack({ renamedColumns, renamedTables }: Remembered): string[] {
  const columns = renamedColumns.map(({ schema, table, from, to }): Steps => {
    const others = renamedColumns.filter((one) => one.schema === schema && one.table === table);
    const rename = (was: string, is: string) =>
      `alter table ${qualified(schema, table)} rename column ${quoteIdent(was)} to ${quoteIdent(is)}`;
    const taken = others.some((one) => one.to === from);
    const by = asideName(to);
    return taken
      ? { aside: [rename(to, by)], moves: [], back: [rename(by, from)] }
      : { aside: [], moves: [], back: [rename(to, from)] };
  });
  const tables = renamedTables.map(({ schema, table, fromSchema, from }): Steps => {
    const rename = (home: string, was: string, is: string) =>
      `alter table ${qualified(home, was)} rename to ${quoteIdent(is)}`;
    const by = asideName(`${schema}.${table}`);
    const taken = renamedTables.some((one) => one.table === from && one.schema === schema);
    if (schema !== fromSchema)
      return {
        aside: [rename(schema, table, by)],
        moves: [moveBack(schema, by, fromSchema)],
        back: [rename(fromSchema, by, from)],
      };
    return taken
      ? { aside: [rename(schema, table, by)], moves: [], back: [rename(schema, by, from)] }
      : { aside: [], moves: [], back: [rename(schema, table, from)] };
  });
  return [columns, tables].flatMap((renamed) => [
    ...renamed.flatMap(({ aside }) => aside),
    ...renamed.flatMap(({ moves }) => moves),
    ...renamed.flatMap(({ back }) => back),
  ]);
}

/** A sequence that a column owns moves with its table, and not alone. */
function moveBack(schema: string, name: string, to: string): string {
  const there = `to_regclass(${quoteLiteral(qualified(schema, name))})`;
  return `do ${quoteLiteral(`begin
    if not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = ${there}
                      and refclassid = 'pg_class'::regclass and refobjsubid > 0 and deptype in ('a', 'i')
                      and (select relkind from pg_class where oid = objid) = 'S') and ${there} is not null then
      alter table ${qualified(schema, name)} set schema ${quoteIdent(to)};
    end if;
  end`)}`;
}

function asideName(name: string): string {
  return `belay_${createHash("md5").update(name).digest("hex")}`;
}

/**
 * Statements that free the places to which tables go back: what the rollback made there gets another name, under which
 * it goes with all else that was made, and a schema that it dropped is made again.
 */
export async function placesFreed(
  session: Session,
  { renamedTables, removed, added, changed }: Remembered,
): Promise<string[]> {
  if (renamedTables.length === 0) return [];
  const own = new Set(renamedTables.map(({ oid }) => oid));
  const made = [...added, ...changed.filter(isAnother).map(({ after }) => after)].map(({ address }) => address.objid);
  const places = renamedTables.map(({ fromSchema, from }) => qualified(fromSchema, from));
  const rows = await session.sql`
    with taken as (
      select distinct c.oid from unnest(${places}::text[]) place join pg_class c on c.oid = to_regclass(place)
       where c.oid = any(${made.filter((oid) => !own.has(oid)).map(String)}::text[]::oid[])
    )
    select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid in (select oid from taken
                     union select indexrelid from pg_index join taken on indrelid = oid
                     union select objid from pg_depend join taken on refobjid = oid
                      where classid = 'pg_class'::regclass and refclassid = classid and refobjsubid > 0 and deptype in ('a', 'i'))`;
  const homes = new Set(renamedTables.map(({ fromSchema }) => fromSchema));
  const standing =
    await session.sql`select nspname as name from pg_namespace where nspname = any(${[...homes]}::text[])`;
  const there = new Set(standing.map(({ name }) => name as string));
  const schemas = removed.filter(({ kind, name }) => kind === "SCHEMA" && homes.has(name) && !there.has(name));
  return [
    ...schemas.flatMap(({ create, name, owner }) => [
      create,
      ...(owner ? [`alter schema ${quoteIdent(name)} owner to ${quoteIdent(owner)}`] : []),
    ]),
    ...rows.map(
      ({ schema, name }) =>
        `alter table ${qualified(schema, name)} rename to ${quoteIdent(asideName(`made ${schema}.${name}`))}`,
    ),
  ];
}

function isAnother({ before, after }: Remembered["changed"][number]): boolean {
  return before.address.classid === after.address.classid && before.address.objid !== after.address.objid;
}
