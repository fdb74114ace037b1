import { qualified, quoteIdent } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import type { SeedTable } from "./types.ts";

/**
 * Sets sequences past the values of their columns, as an application would have left them. RESTART, because it ends
 * with the transaction and setval does not.
 */
export async function advanceSequences(session: Session, tables: readonly SeedTable[]): Promise<void> {
  const owned = tables.flatMap((table) => table.sequences.map((sequence) => ({ table, ...sequence })));
  if (owned.length === 0) return;
  const each = owned.map(
    ({ table, name, column }) => `
  begin
    select max(${quoteIdent(column)})::int8 + 1 into next from only ${qualified(table.schema, table.name)};
    if next > 0 then execute format('alter sequence %s restart with %s', $belay$${name}$belay$, next); end if;
  exception when others then null;
  end;`,
  );
  await session.run(`do $belay_do$ declare next int8; begin${each.join("")} end $belay_do$`);
}
