import type { Account, RelationAccount } from "../guard/account.ts";
import type { Remembered } from "../transaction/remembered.ts";

interface Named {
  readonly schema: string;
  readonly table: string;
}

/** The relation of now that had this name before the rollback, which may have renamed it. */
export function relationBefore(
  { relations }: Account,
  { renamedTables }: Remembered,
  { schema, table }: Named,
): RelationAccount | undefined {
  const renamed = renamedTables.find((each) => each.fromSchema === schema && each.from === table);
  if (renamed?.oid !== undefined) return relations.get(renamed.oid);
  return [...relations.values()].find((each) => each.schema === schema && each.name === table);
}

/** What a table of now was named before the rollback. */
export function nameBefore({ renamedTables }: Remembered, oid: number, now: Named): Named {
  const renamed = renamedTables.find((each) => each.oid === oid);
  return renamed === undefined ? now : { schema: renamed.fromSchema, table: renamed.from };
}
