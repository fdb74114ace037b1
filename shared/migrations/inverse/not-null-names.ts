import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { parseTable } from "../../rollback/transaction/column-order.ts";

/** Gives NOT NULL constraints, which have names on servers 18 and newer, their names back. */
export function notNullNamesBack({ was, is }: { readonly was: Entry; readonly is: Entry }): string[] {
  const now = names(is);
  return [...names(was)].flatMap(([column, name]) => {
    const current = now.get(column);
    if (current === undefined || current === name) return [];
    return [`ALTER TABLE ${qualified(was.schema, was.name)} RENAME CONSTRAINT ${current} TO ${name}`];
  });
}

const word = /(?:"(?:[^"]|"")*"|\S+)/.source;
const notNull = new RegExp(`^(${word}) .*?(?: CONSTRAINT (${word}))? NOT NULL(?: NO INHERIT)?$`, "s");

/** Names by column, both quoted where they must be; a name that is not written is the server's own. */
function names(table: Entry): Map<string, string> {
  const items = parseTable(table.create)?.items ?? [];
  return new Map(
    items.flatMap((item): [string, string][] => {
      const [, column, name] = notNull.exec(item) ?? [];
      if (column === undefined || item.startsWith("CONSTRAINT ")) return [];
      const bare = column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column;
      return [[column, name ?? quoteIdent(`${table.name}_${bare}_not_null`)]];
    }),
  );
}
