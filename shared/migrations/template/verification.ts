import { compareCatalogs } from "../../catalog/differences.ts";
import { qualified, quoteLiteral } from "../../catalog/identifiers.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { parseTable } from "../../rollback/transaction/column-order.ts";
import { columnsOf } from "../../rollback/undo/columns.ts";

const most = 20;

/** Queries that answer true when a migration was undone; the most telling ones. */
export function verificationQueries(before: Catalog, after: Catalog): string[] {
  const { removed: gone, added: made, changed } = compareCatalogs(before, after);
  const columns = changed.flatMap(({ before: was, after: is }) => columnQueries(was, is));
  return [
    ...made.flatMap((entry) => existence(entry, false)),
    ...gone.flatMap((entry) => existence(entry, true)),
    ...columns,
  ].slice(0, most);
}

const relations = new Set(["TABLE", "VIEW", "MATERIALIZED VIEW", "INDEX", "SEQUENCE", "FOREIGN TABLE"]);
const finders: Readonly<Record<string, string>> = {
  TYPE: "to_regtype",
  DOMAIN: "to_regtype",
  SCHEMA: "to_regnamespace",
};

function existence({ kind, schema, name }: Entry, wanted: boolean): string[] {
  const is = wanted ? "is not null" : "is null";
  const finder = relations.has(kind) ? "to_regclass" : finders[kind];
  if (finder !== undefined) return [`select ${finder}(${quoteLiteral(qualified(schema, name))}) ${is};`];
  if (kind === "FUNCTION" || kind === "PROCEDURE") {
    const place = schema === null ? name : `${qualified(null, schema)}.${name}`;
    return [`select to_regprocedure(${quoteLiteral(place)}) ${is};`];
  }
  return [];
}

function columnQueries(was: Entry, is: Entry): string[] {
  const [old, now] = [was, is].map(({ kind, create }) => (kind === "TABLE" ? parseTable(create) : null));
  if (old == null || now == null) return [];
  const [before, after] = [columnsOf(old), columnsOf(now)];
  const table = quoteLiteral(qualified(was.schema, was.name));
  const query = (column: string, found: string) => {
    const name = column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column;
    return `select ${found} (select from pg_attribute where attrelid = ${table}::regclass and attname = ${quoteLiteral(name)} and not attisdropped);`;
  };
  return [
    ...[...after.keys()].filter((column) => !before.has(column)).map((column) => query(column, "not exists")),
    ...[...before.keys()].filter((column) => !after.has(column)).map((column) => query(column, "exists")),
  ];
}
