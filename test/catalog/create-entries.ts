import { quoteIdent } from "../../shared/catalog/identifiers.ts";
import type { Entry } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";

/** Kinds that have an owner of their own; what hangs on a table has the table's. */
const owned = new Set([
  "SCHEMA",
  "TYPE",
  "DOMAIN",
  "FUNCTION",
  "PROCEDURE",
  "AGGREGATE",
  "TABLE",
  "SEQUENCE",
  "VIEW",
  "MATERIALIZED VIEW",
  "STATISTICS",
  "COLLATION",
  "CONVERSION",
  "OPERATOR",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "PROCEDURAL LANGUAGE",
  "TEXT SEARCH DICTIONARY",
  "TEXT SEARCH CONFIGURATION",
  "FOREIGN DATA WRAPPER",
  "SERVER",
  "FOREIGN TABLE",
  "PUBLICATION",
  "SUBSCRIPTION",
]);

/** Runs the CREATE texts in their order, each object then given its owner, as pg_restore would; stops at an error. */
export async function createEntries(url: string, entries: readonly Entry[]): Promise<void> {
  const session = await openSession(url);
  try {
    await session.run("set search_path = ''; set check_function_bodies = off");
    for (const entry of entries) {
      try {
        const storage =
          entry.tableam === null ? "" : `set default_table_access_method = ${quoteIdent(entry.tableam)};\n`;
        await session.run(storage + entry.create + ownerStatement(entry));
      } catch (error) {
        throw new Error(`${entry.key}: ${(error as Error).message}\n${entry.create}`, { cause: error });
      }
    }
  } finally {
    await session.close();
  }
}

function ownerStatement(entry: Entry): string {
  if (!owned.has(entry.kind) || entry.owner === null || !entry.drop?.startsWith("DROP ")) return "";
  return `\nALTER ${entry.drop
    .trim()
    .slice("DROP ".length, -1)
    .replace(/ CASCADE$/, "")} OWNER TO ${quoteIdent(entry.owner)};`;
}
