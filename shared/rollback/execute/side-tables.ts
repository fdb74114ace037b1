import type { TableToArchive } from "../../archive/write/layout.ts";
import { entryHash, entryKey } from "../../catalog/entry.ts";
import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { withParameters } from "../../postgres/settings.ts";
import { type ScopedColumns, tableKey } from "./archive-scope.ts";

/** Schema, in archives alone, of the tables that hold lost columns with their keys. */
export const lostSchema = "belay_lost";

export interface SideTables {
  readonly entries: readonly Entry[];
  readonly tables: readonly TableToArchive[];
}

/** For each surviving table that loses columns: a table of key and lost columns, read from the table itself. */
export async function sideTables(session: Session, scoped: readonly ScopedColumns[]): Promise<SideTables> {
  if (scoped.length === 0) return { entries: [], tables: [] };
  const [role] = await session.sql`select current_user::text as name`;
  const schema = schemaEntry(role!.name);
  const entries: Entry[] = [schema];
  const tables: TableToArchive[] = [];
  const taken = new Set<string>();
  for (const { relation, key, columns } of scoped) {
    const all = [...new Set([...key, ...columns])];
    const name = sideTableName(relation, taken);
    const entry = tableEntry(name, role!.name, await typed(session, relation.oid, all), [
      schema.key,
      tableKey(relation.schema, relation.name),
    ]);
    entries.push(entry);
    tables.push({
      entry: entry.key,
      schema: lostSchema,
      table: name,
      columns: all,
      role: "columns",
      mergesInto: { schema: relation.schema, table: relation.name, key: [...key], columns: [...columns] },
      from: { schema: relation.schema, table: relation.name },
    });
  }
  return { entries, tables };
}

/** Postgres cuts identifiers at this many bytes. */
const longestName = 63;

/** The table's own name, with its schema where that is not public; numbered where the cut name is taken. */
function sideTableName({ schema, name }: ScopedColumns["relation"], taken: Set<string>): string {
  const full = schema === "public" ? name : `${schema}.${name}`;
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? "" : `~${n}`;
    const candidate = cutToBytes(full, longestName - suffix.length) + suffix;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}

function cutToBytes(text: string, most: number): string {
  let cut = "";
  for (const character of text) {
    if (new TextEncoder().encode(cut + character).length > most) break;
    cut += character;
  }
  return cut;
}

async function typed(session: Session, oid: number, columns: readonly string[]): Promise<string[]> {
  const rows = await withParameters(
    session,
    { search_path: "" },
    () => session.sql`
    select attname as name, format_type(atttypid, atttypmod) as type,
           case when attcollation <> 0 and attcollation <> t.typcollation
                then (select format(' COLLATE %I.%I', n.nspname, c.collname) from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid = attcollation)
                else '' end as collation
      from pg_attribute a join pg_type t on t.oid = a.atttypid
     where attrelid = ${String(oid)}::text::oid and attname = any(${[...columns]}::text[])`,
  );
  const types = new Map(rows.map((row) => [row.name as string, `${row.type}${row.collation}`]));
  return columns.map((column) => `${quoteIdent(column)} ${types.get(column)}`);
}

function schemaEntry(owner: string): Entry {
  return entry({
    kind: "SCHEMA",
    schema: null,
    name: lostSchema,
    owner,
    create: `CREATE SCHEMA ${lostSchema};\n`,
    drop: `DROP SCHEMA ${lostSchema};\n`,
    tablespace: null,
    tableam: null,
    dependencies: [],
  });
}

function tableEntry(name: string, owner: string, columns: readonly string[], dependencies: readonly string[]): Entry {
  const full = qualified(lostSchema, name);
  return entry({
    kind: "TABLE",
    schema: lostSchema,
    name,
    owner,
    create: `CREATE TABLE ${full} (\n    ${columns.join(",\n    ")}\n);\n`,
    drop: `DROP TABLE ${full};\n`,
    tablespace: "",
    tableam: "heap",
    dependencies,
  });
}

function entry(
  fields: Pick<
    Entry,
    "kind" | "schema" | "name" | "owner" | "create" | "drop" | "tablespace" | "tableam" | "dependencies"
  >,
): Entry {
  return {
    ...fields,
    section: "pre-data",
    copy: null,
    address: { classid: 0, objid: 0, objsubid: 0 },
    key: entryKey(fields),
    hash: entryHash(fields),
  };
}
