import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog } from "../../catalog/types.ts";
import { schemaFromEntries } from "../../rollback/undo/entries.ts";
import { grantsBack } from "../../rollback/undo/grants.ts";

/**
 * SQL by the entries' own CREATE and DROP texts that leads from the catalog of now to the wanted one, run by `role`.
 * `gained`: columns that the migration made, by table's oid. Throws `undo_conflict` where the texts cannot do it.
 */
export function statementsFromEntries(
  wanted: Catalog,
  now: Catalog,
  role: string,
  gained: ReadonlyMap<number, readonly string[]> = new Map(),
): string[] {
  const { before, after } = schemaFromEntries(wanted.entries, now.entries, new Set(), gained);
  const all = tidy([...before, ...after]).filter(keepsOwners(wanted, now) ? isNotOwnership(role) : () => true);
  const hasBodies = all.some((sql) => /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b/.test(sql));
  return hasBodies ? ["SET LOCAL check_function_bodies = off", ...all] : all;
}

/** What a role creates belongs to it: production's is another than the scratch server's. */
function isNotOwnership(role: string): (sql: string) => boolean {
  const end = ` OWNER TO ${quoteIdent(role)}`;
  return (sql) => !(sql.startsWith("ALTER ") && sql.endsWith(end));
}

function keepsOwners(wanted: Catalog, now: Catalog): boolean {
  const owners = new Map(now.entries.map(({ key, owner }) => [key, owner]));
  return wanted.entries.every(({ key, owner }) => !owners.has(key) || owners.get(key) === owner);
}

/** What is wrong with the grants after all else is back. */
export function grantsFromEntries(wanted: Catalog, now: Catalog): string[] {
  return tidy(grantsBack(wanted.entries, now.entries));
}

function tidy(statements: readonly string[]): string[] {
  return statements.map((sql) => inCapitals(sql.trim().replace(/;$/, ""))).filter((sql) => sql !== "");
}

const name = /(?:"(?:[^"]|"")*"|[^\s".(]+)(?:\.(?:"(?:[^"]|"")*"|[^\s".(]+))*/.source;
const alteration = new RegExp(
  `^(alter (?:[a-z]+ )+?)(${name}(?:\\([^)]*\\))? )(rename to|rename value|rename column|set schema|set unlogged|set logged|owner to|inherit|` +
    `no inherit|drop constraint|(?:add|drop) (?:column|attribute)|alter (?:column|attribute)|set|reset|add|as)( .*|$)`,
  "is",
);
const columnChange = new RegExp(
  `^( ${name} )(type|set not null|drop not null|set default|drop default|set generated)( .*|$)`,
  "is",
);

/** Key words as the entries' own texts have them. */
function inCapitals(sql: string): string {
  const parts = alteration.exec(sql);
  if (parts === null) return sql;
  const [, verb, object, action, rest] = parts;
  const head = verb!.toUpperCase() + object + action!.toUpperCase();
  return (
    head +
    rest!.replace(columnChange, (_, column: string, change: string, end: string) => column + change.toUpperCase() + end)
  );
}
