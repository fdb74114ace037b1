import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { parseTable, type TableText } from "../transaction/column-order.ts";
import { columnsOf } from "./columns.ts";
import { labels } from "./enums.ts";
import { partitionKeys } from "./partitions.ts";

/** Kinds whose values may be of a type. */
const holders = new Set(["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "TYPE", "DOMAIN"]);

/**
 * Makes an enum anew with labels that came or went, under the tables that use it: ADD VALUE would not let the rows of
 * the same transaction use a label. Null when it is no enum, or when a table with rows, or another type, uses it.
 */
export function enumMadeAgain(
  current: Entry,
  target: Entry,
  now: readonly Entry[],
  emptied: ReadonlySet<string>,
): string[] | null {
  if (labels(current) === null || labels(target) === null) return null;
  const uses = now.filter(({ kind, dependencies }) => holders.has(kind) && dependencies.includes(current.key));
  const tables = uses.map((entry) => ({ entry, text: parseTable(entry.create) }));
  if (!tables.every(({ entry, text }) => text !== null && (emptied.has(entry.key) || isPartitioned(text)))) return null;
  const type = qualified(target.schema, target.name);
  const old = `belay old ${target.name}`.slice(0, 60);
  const parts = partitionKeys(now);
  const own = tables.filter(({ entry }) => !parts.has(entry.key));
  const altered = own.map(({ entry, text }) => retyped(qualified(entry.schema, entry.name), type, text!));
  const said = now.filter(({ kind, dependencies }) => kind === "COMMENT" && dependencies.includes(current.key));
  return [
    ...altered.flatMap(({ freed }) => freed),
    `alter type ${type} rename to ${quoteIdent(old)}`,
    target.create,
    ...(target.owner ? [`alter type ${type} owner to ${quoteIdent(target.owner)}`] : []),
    ...altered.flatMap(({ back }) => back),
    `drop type ${qualified(target.schema, old)}`,
    ...said.map(({ create }) => create),
  ];
}

/** Statements before and after the type is another one; checks and defaults hold values of it. */
function retyped(table: string, type: string, text: TableText): { freed: string[]; back: string[] } {
  const alter = (what: string) => `alter table ${table} ${what}`;
  const checks = text.items.filter((item) => item.startsWith("CONSTRAINT ") && item.includes(`::${type}`));
  const columns = [...columnsOf(text).values()].filter((column) => column.type === type || column.type === `${type}[]`);
  const defaults = columns.filter(({ expression }) => expression !== null);
  return {
    freed: [
      ...checks.map((item) => alter(`drop constraint ${item.match(/^CONSTRAINT ("(?:[^"]|"")+"|\S+)/)![1]}`)),
      ...defaults.map(({ name }) => alter(`alter column ${name} drop default`)),
    ],
    back: [
      ...columns.map((column) =>
        alter(`alter column ${column.name} type ${column.type} using ${column.name}::text::${column.type}`),
      ),
      ...defaults.map(({ name, expression }) => alter(`alter column ${name} set default ${expression}`)),
      ...checks.map((item) => alter(`add ${item}`)),
    ],
  };
}

function isPartitioned({ tail }: TableText): boolean {
  return tail.trimStart().startsWith("PARTITION BY");
}
