import { qualified } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { TocEntry } from "../../format/toc.ts";

/** Throws `restore_target` when tables that are to be restored are in the database already. */
export async function requireAbsent(session: Session, tables: readonly TocEntry[]): Promise<void> {
  const names = tables.map(({ namespace, tag }) => qualified(namespace, tag));
  const found = await session.sql<{ name: string }[]>`
    select name from unnest(${names}::text[]) as name where pg_catalog.to_regclass(name) is not null order by 1`;
  if (found.length === 0) return;
  throw new BelayError(
    "restore_target",
    `the database has these tables already: ${found.map(({ name }) => name).join(", ")}`,
    {
      hint: "Nothing was changed. Rename or drop them, or restore into an empty database and copy the rows from there.",
      details: { reason: "exists" },
    },
  );
}
