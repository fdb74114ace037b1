import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { ArchiveScope, Going } from "../execute/archive-scope.ts";
import { archiveScope } from "../execute/archive-scope.ts";
import { readPartitions } from "../execute/partitions.ts";
import type { Account, RelationAccount } from "../guard/account.ts";
import { parseTable } from "../transaction/column-order.ts";
import { madeColumns } from "./made-columns.ts";
import { relationBefore } from "./relation-before.ts";
import type { Undoable } from "./types.ts";

/** What an undo takes away or writes over. */
export interface Replaced {
  readonly objects: readonly { readonly key: string; readonly change: "destroyed" | "changed" }[];
  readonly tables: readonly { readonly relation: RelationAccount; readonly because: string }[];
  readonly columns: readonly {
    readonly relation: RelationAccount;
    readonly columns: readonly string[];
    /** A unique key without nulls; null: the whole table is archived. */
    readonly key: readonly string[] | null;
    readonly because: string;
  }[];
}

/** Finds it by what is left to do; `work` is that part of the rollback. */
export async function readReplaced(session: Session, work: Undoable, account: Account): Promise<Replaced> {
  const { remembered, manifest } = work;
  const at = (oid: number) => account.relations.get(oid);
  const tables = [
    ...remembered.made.map(({ oid }) => ({ relation: at(oid), because: "made by the rollback, and goes" })),
    ...remembered.rewritten.map(({ oid }) => ({ relation: at(oid), because: "gets its rows of before back" })),
  ].flatMap(({ relation, because }) => (relation === undefined ? [] : [{ relation, because }]));
  const whole = new Set(tables.map(({ relation }) => relation.oid));
  const made = madeColumns(remembered, account).map((each) => ({
    ...each,
    because: "added by the rollback, and goes",
  }));
  const merged = (manifest?.tables ?? []).flatMap(({ mergesInto }) => {
    const relation = mergesInto === null ? undefined : relationBefore(account, remembered, mergesInto);
    if (relation === undefined || whole.has(relation.oid)) return [];
    const goes = new Set(made.find((each) => each.relation.oid === relation.oid)?.columns);
    const columns = mergesInto!.columns.filter(
      (name) => !goes.has(name) && relation.columns.some((column) => column.name === name && !column.generated),
    );
    return columns.length === 0 ? [] : [{ relation, columns, because: "gets its values of before back" }];
  });
  const columns = [];
  for (const each of [...made, ...merged]) columns.push({ ...each, key: await readKey(session, each.relation.oid) });
  return {
    objects: [
      ...remembered.added.map(({ key }) => ({ key, change: "destroyed" as const })),
      ...remembered.changed.filter(loses).map((change) => ({ key: change.after.key, change: "changed" as const })),
    ],
    tables,
    columns,
  };
}

/** What the undo's own archive has to hold; empty where nothing goes. */
export async function replacedScope(
  session: Session,
  replaced: Replaced,
  catalog: Catalog,
  account: Account,
): Promise<ArchiveScope> {
  return archiveScope(goingOf(replaced), catalog, account, await readPartitions(session), new Set());
}

/** The same in the words of a rollback's plan. */
export function goingOf(replaced: Replaced): Going {
  return {
    effect: {
      objects: replaced.objects,
      tables: replaced.tables.map(({ relation }) => ({ oid: relation.oid })),
      columns: replaced.columns.map(({ relation, columns, key }) => ({
        oid: relation.oid,
        columns: [...columns],
        key: key === null ? null : [...key],
      })),
      sequences: [],
    },
  };
}

/** A table that only gains columns loses nothing of its definition; anything else is written over. */
function loses({ before, after }: { readonly before: Entry; readonly after: Entry }): boolean {
  const [was, is] = [parseTable(before.create), parseTable(after.create)];
  if (before.kind !== "TABLE" || was === null || is === null) return true;
  const comes = new Set(was.items);
  return was.head !== is.head || was.tail !== is.tail || is.items.some((item) => !comes.has(item));
}

/** Columns of the smallest unique key without nulls, the primary one first; null when there is none. */
async function readKey(session: Session, oid: number): Promise<string[] | null> {
  const [row] = await session.sql<{ columns: string[] }[]>`
    select array_agg(a.attname::text order by k.position) as columns
      from pg_index i, unnest(i.indkey::int2[]) with ordinality as k (number, position)
      join pg_attribute a on a.attnum = k.number
     where i.indrelid = ${String(oid)}::text::oid and a.attrelid = i.indrelid and i.indisunique and i.indisvalid
       and i.indpred is null and i.indexprs is null and k.position <= i.indnkeyatts
     group by i.indexrelid, i.indisprimary
    having bool_and(a.attnotnull)
     order by i.indisprimary desc, count(*), i.indexrelid limit 1`;
  return row?.columns ?? null;
}
