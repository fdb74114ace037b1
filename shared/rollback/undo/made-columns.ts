import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account, RelationAccount } from "../guard/account.ts";
import type { Remembered } from "../transaction/remembered.ts";

/** Columns that a rollback added to a table that stays: undo takes them away again. */
export interface MadeColumns {
  readonly relation: RelationAccount;
  readonly columns: readonly string[];
  readonly given: Readonly<Record<string, string | null>> | null;
}

/** Finds them by what the catalog said before and after the rollback; tables that undo replaces whole are left out. */
export function madeColumns(remembered: Remembered, account: Account): MadeColumns[] {
  const whole = new Set([...remembered.rewritten, ...remembered.made].map(({ oid }) => oid));
  return (remembered.madeColumns ?? []).flatMap(({ oid, columns, given = null }) => {
    const relation = account.relations.get(oid);
    return relation === undefined || whole.has(oid) ? [] : [{ relation, columns, given }];
  });
}

/** A relation without the columns that the rollback added to it: what undo has to leave equal. */
export function withoutMade(remembered: Remembered, relation: RelationAccount): RelationAccount {
  const made = remembered.madeColumns?.find(({ oid }) => oid === relation.oid)?.columns ?? [];
  return { ...relation, columns: relation.columns.filter(({ name }) => !made.includes(name)) };
}

/** Which of the columns hold a value that somebody wrote since: another than null and the default they came with. */
export async function writtenSince(session: Session, made: MadeColumns): Promise<string[]> {
  const { oid, schema, name } = made.relation;
  const rows = await session.sql`
    select attname as name, (attmissingval::text::text[])[1] as given from pg_attribute
     where attrelid = ${String(oid)}::text::oid and attname = any(${[...made.columns]}::text[])
       and attgenerated = '' and not attisdropped`;
  const written: string[] = [];
  for (const column of rows) {
    const value = quoteIdent(column.name);
    const given = made.given === null ? column.given : (made.given[column.name] ?? null);
    const [found] = await session.sql`
      select exists (select from only ${session.sql.unsafe(qualified(schema, name))} t
                      where num_nulls(${session.sql.unsafe(value)}) = 0
                        and format('%s', ${session.sql.unsafe(value)}) is distinct from ${given}::text) as some`;
    if (found!.some) written.push(column.name);
  }
  return written;
}
