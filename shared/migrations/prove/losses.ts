import type { Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { State } from "./state.ts";
import { columnNames } from "./tables.ts";
import type { ProofLoss } from "./types.ts";

/** A column by what stays when it is renamed. */
interface Column {
  readonly table: number;
  readonly number: number;
  readonly name: string;
  readonly dropped: boolean;
}

/** Tables that stand before and after a rollback with another text: only those can have lost a column. */
export function changedTables(after: State, afterDown: State): number[] {
  const later = byOid(afterDown);
  return tablesOf(after).flatMap((entry) => {
    const same = later.get(entry.address.objid);
    return same !== undefined && same.create !== entry.create ? [entry.address.objid] : [];
  });
}

export async function readColumns(session: Session, tables: readonly number[]): Promise<Column[]> {
  if (tables.length === 0) return [];
  return await session.sql<Column[]>`
    select attrelid::int8::float8 as table, attnum as number, attname as name, attisdropped as dropped
    from pg_catalog.pg_attribute where attrelid = any (${[...tables]}::oid[]) and attnum > 0`;
}

/** Tables and columns that the rollback dropped, whatever stands under their names after; rows are not told. */
export function lossesOfStates(
  states: { readonly before: State; readonly after: State; readonly afterDown: State },
  columns: { readonly after: readonly Column[]; readonly afterDown: readonly Column[] },
): ProofLoss[] {
  const [earlier, later] = [byOid(states.before), byOid(states.afterDown)];
  return tablesOf(states.after).flatMap((entry): ProofLoss[] => {
    const { objid } = entry.address;
    const base = { schema: entry.schema ?? "", table: entry.name, how: "dropped" as const, rows: null };
    if (!later.has(objid)) return [{ ...base, columns: null, of: earlier.has(objid) ? "before" : "since" }];
    const known = earlier.has(objid) ? columnNames(earlier.get(objid)!) : [];
    const gone = lostColumns(objid, columns);
    const of = (which: ProofLoss["of"], names: string[]): ProofLoss[] =>
      names.length === 0 ? [] : [{ ...base, columns: names, of: which }];
    return [
      ...of(
        "before",
        gone.filter((name) => known.includes(name)),
      ),
      ...of(
        "since",
        gone.filter((name) => !known.includes(name)),
      ),
    ];
  });
}

function lostColumns(
  table: number,
  columns: { readonly after: readonly Column[]; readonly afterDown: readonly Column[] },
): string[] {
  const live = new Set(columns.afterDown.filter((one) => one.table === table && !one.dropped).map((one) => one.number));
  const had = columns.after.filter((one) => one.table === table && !one.dropped);
  return had.filter(({ number }) => !live.has(number)).map(({ name }) => name);
}

function tablesOf({ catalog }: State): Entry[] {
  return catalog.entries.filter((entry) => entry.kind === "TABLE");
}

function byOid(state: State): ReadonlyMap<number, Entry> {
  return new Map(tablesOf(state).map((entry) => [entry.address.objid, entry]));
}
