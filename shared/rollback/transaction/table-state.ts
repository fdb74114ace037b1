import { tableDigest } from "../../archive/table-digest.ts";
import type { Session } from "../../postgres/session.ts";
import type { RelationAccount } from "../guard/account.ts";

/** Rows of a table by count and digest, over its stored columns in name order. */
export interface TableState {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
  readonly digest: string;
}

/** Counts and digests a table as the session's transaction sees it; `without`: columns left out. */
export async function tableState(
  session: Session,
  relation: Pick<RelationAccount, "oid" | "schema" | "name" | "columns">,
  without: readonly string[] = [],
): Promise<TableState> {
  const columns = relation.columns
    .filter((column) => !column.generated && !without.includes(column.name))
    .map(({ name }) => name);
  const { rows, digest } = await tableDigest(session, { schema: relation.schema, table: relation.name, columns });
  return { oid: relation.oid, schema: relation.schema, table: relation.name, columns, rows, digest };
}
