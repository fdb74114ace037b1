import type { Entry } from "../../catalog/types.ts";
import { parseTable } from "../../rollback/transaction/column-order.ts";

const kinds = new Set(["TABLE", "FOREIGN TABLE"]);

export function isTable({ kind }: Entry): boolean {
  return kinds.has(kind);
}

/** In what two CREATE TABLE texts differ. */
export interface TableDifference {
  /** Columns and constraints of the one that the other has not, and the other way round. */
  readonly gone: readonly string[];
  readonly added: readonly string[];
  /** What stands around the columns differs too. */
  readonly around: boolean;
}

/** Compares two entries of one table; null where a text has no column list. */
export function compareTables(one: Entry, other: Entry): TableDifference | null {
  const first = isTable(one) ? parseTable(one.create) : null;
  const second = isTable(other) ? parseTable(other.create) : null;
  if (first === null || second === null) return null;
  const gone = first.items.filter((item) => !second.items.includes(item));
  const added = second.items.filter((item) => !first.items.includes(item));
  const around = first.head !== second.head || !sameLines(first.tail, second.tail);
  return { gone, added, around: around || fields(one) !== fields(other) };
}

function fields({ owner, drop, tablespace, tableam }: Entry): string {
  return JSON.stringify([owner, drop, tablespace, tableam]);
}

/** Whether two texts have the same lines: those about columns follow the columns' order. */
function sameLines(one: string, other: string): boolean {
  return one === other || one.split("\n").sort().join("\n") === other.split("\n").sort().join("\n");
}

/** Names of a table's own columns, in their order, as the CREATE text lists them. */
export function columnNames(entry: Entry): string[] {
  const items = parseTable(entry.create)?.items ?? [];
  return items.flatMap((item) => {
    const [, quoted, plain] = /^(?:"((?:[^"]|"")+)"|([^\s"]+))\s/.exec(item) ?? [];
    if (quoted !== undefined) return [quoted.replaceAll('""', '"')];
    return plain === undefined || /^(CONSTRAINT|CHECK|NOT)$/.test(plain) ? [] : [plain];
  });
}
