import { isKeptSchema } from "../../catalog/kept-schemas.ts";
import type { CatalogDifference, Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account, RelationAccount, SequenceAccount } from "../guard/account.ts";
import { type TableState, tableState } from "./table-state.ts";

export interface Renaming {
  readonly schema: string;
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** Where a sequence stands. */
export type Standing = Pick<SequenceAccount, "lastValue" | "isCalled">;

/** What undo has to know besides the archive; kept with the record of the rollback. */
export interface Remembered {
  readonly removed: readonly Entry[];
  readonly added: readonly Entry[];
  readonly changed: readonly { readonly before: Entry; readonly after: Entry }[];
  /** Columns renamed in place, by the names of after: their values never left. */
  readonly renamedColumns: readonly Renaming[];
  /** Tables that live on under another name: `from` was, `schema.table` is. */
  readonly renamedTables: readonly {
    /** Absent in old records. */
    readonly oid?: number;
    readonly schema: string;
    readonly table: string;
    readonly fromSchema: string;
    readonly from: string;
  }[];
  /** Materialised views that held rows and went, changed or were refreshed, in the order in which they can be filled; absent in old records. */
  readonly filledViews?: readonly { readonly schema: string; readonly name: string }[];
  /** Columns that the rollback added to tables that stay, and what rows got in them, as text; absent in old records. */
  readonly madeColumns?: readonly {
    readonly oid: number;
    readonly columns: readonly string[];
    readonly given?: Readonly<Record<string, string | null>>;
  }[];
  /** Archived sequences that stay, set or altered by the SQL: where they stood right before it, and where it left them; absent in old records. */
  readonly stayedSequences?: readonly {
    readonly schema: string;
    readonly name: string;
    readonly was: Standing;
    readonly left: Standing;
  }[];
  /** Surviving tables whose rows changed, as the rollback left them. */
  readonly rewritten: readonly TableState[];
  /** Tables that the rollback made, as it left them. */
  readonly made: readonly TableState[];
}

/** Gathers it inside the rollback's transaction, after its SQL. */
export async function remember(
  session: Session,
  difference: CatalogDifference,
  before: Account,
  after: Account,
  rewritten: readonly RelationAccount[],
  setting: ReadonlyMap<number, SequenceAccount>,
): Promise<Remembered> {
  const changed = new Set(rewritten.map(({ oid }) => oid));
  const states = { rewritten: [] as TableState[], made: [] as TableState[] };
  for (const relation of after.relations.values()) {
    if (relation.kind !== "r") continue;
    if (changed.has(relation.oid)) states.rewritten.push(await tableState(session, relation));
    else if (!before.relations.has(relation.oid) && !isKeptSchema(relation.schema))
      states.made.push(await tableState(session, relation));
  }
  const survivors = [...before.relations.values()].flatMap((was) => {
    const is = after.relations.get(was.oid);
    return is === undefined ? [] : [{ was, is }];
  });
  return {
    removed: difference.removed,
    added: difference.added,
    changed: difference.changed,
    renamedColumns: survivors.flatMap(({ was, is }) =>
      was.columns.flatMap((column) => {
        const now = is.columns.find(({ number }) => number === column.number);
        return was.kind === "v" || now === undefined || now.name === column.name
          ? []
          : [{ schema: is.schema, table: is.name, from: column.name, to: now.name }];
      }),
    ),
    renamedTables: survivors
      .filter(({ was, is }) => was.kind !== "v" && (was.name !== is.name || was.schema !== is.schema))
      .map(({ was: { schema: fromSchema, name: from }, is: { oid, schema, name: table } }) => ({
        ...{ oid, schema, table, fromSchema, from },
      })),
    filledViews: [
      ...filledBefore([...difference.removed, ...difference.changed.map((change) => change.before)], before),
      ...survivors
        .filter(({ was, is }) => was.kind === "m" && was.filled && was.storage !== is.storage)
        .map(({ is: { schema, name } }) => ({ schema, name })),
    ],
    madeColumns: await withGiven(
      session,
      survivors.flatMap(({ was, is }) => {
        const known = new Set(was.columns.map(({ number }) => number));
        const columns = is.columns.filter(({ number }) => !known.has(number)).map(({ name }) => name);
        return is.kind !== "r" || columns.length === 0 ? [] : [{ oid: is.oid, columns }];
      }),
    ),
    stayedSequences: [...setting].flatMap(([oid, { lastValue, isCalled }]) => {
      const relation = before.relations.get(oid);
      const left = after.sequences.get(oid);
      if (relation === undefined || left === undefined) return [];
      const { schema, name } = relation;
      const standing = { lastValue: left.lastValue, isCalled: left.isCalled };
      return [{ schema, name, was: { lastValue, isCalled }, left: standing }];
    }),
    ...states,
  };
}

/** The value that rows have which were there when the column came. */
async function withGiven(
  session: Session,
  made: readonly { readonly oid: number; readonly columns: readonly string[] }[],
): Promise<NonNullable<Remembered["madeColumns"]>> {
  if (made.length === 0) return [];
  const rows = await session.sql`
    select attrelid::int8::text as oid, attname as name, (attmissingval::text::text[])[1] as given
      from pg_attribute where attrelid = any(${made.map(({ oid }) => String(oid))}::text[]::oid[]) and attnum > 0 and not attisdropped`;
  return made.map(({ oid, columns }) => {
    const own = rows.filter((row) => Number(row.oid) === oid && columns.includes(row.name));
    return { oid, columns, given: Object.fromEntries(own.map(({ name, given }) => [name, given])) };
  });
}

/** Entries come in an order in which they can be made, so a view comes after those that it reads. */
function filledBefore(removed: readonly Entry[], before: Account): { schema: string; name: string }[] {
  return removed
    .filter(({ kind, address }) => kind === "MATERIALIZED VIEW" && before.relations.get(address.objid)?.filled === true)
    .map(({ schema, name }) => ({ schema: schema!, name }));
}
