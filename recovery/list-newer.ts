import type { Manifest } from "../shared/archive/types.ts";
import type { TableToday } from "./types.ts";

/** Every table of the backup and of today's archive, those that differ first; by rows and digest, so no row is read again. */
export function compareManifests(backup: Manifest, today: Manifest): TableToday[] {
  const nameOf = (table: { schema: string; table: string }) => JSON.stringify([table.schema, table.table]);
  const then = new Map(backup.tables.map((table) => [nameOf(table), table]));
  const now = new Map(today.tables.map((table) => [nameOf(table), table]));
  const compared = [...new Set([...then.keys(), ...now.keys()])].map((name) => {
    const [a, b] = [then.get(name), now.get(name)];
    const { schema, table } = (a ?? b)!;
    const same = a !== undefined && b !== undefined && a.rows === b.rows && a.digest === b.digest;
    return { schema, table, rowsThen: a?.rows ?? null, rowsNow: b?.rows ?? null, same };
  });
  return compared.sort((a, b) => Number(a.same) - Number(b.same));
}
