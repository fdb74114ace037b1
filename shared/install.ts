import { readFile } from "node:fs/promises";
import { BelayError } from "./errors.ts";
import { storeBaseline } from "./migrations/sync/baseline.ts";
import { databaseError } from "./postgres/errors.ts";
import type { Session } from "./postgres/session.ts";

/** The migration that installs schema belay; never in Belay's own ledger. */
export const belayMigrationFile = "20261120000000_belay.sql";

/** Whether schema belay with its ledger is in this database. */
export async function belayInstalled(session: Session): Promise<boolean> {
  const [row] = await session.sql`select to_regclass('belay.migration_history') is not null as installed`;
  return row!.installed as boolean;
}

/** Throws `belay_not_installed`, with the next step, where the schema is not there. */
export async function requireBelay(session: Session): Promise<void> {
  if (await belayInstalled(session)) return;
  throw new BelayError("belay_not_installed", "this database has no schema belay", {
    hint: `Run \`belay init\`, or apply supabase/migrations/${belayMigrationFile} with your own migrations.`,
  });
}

/** Installs schema belay in one transaction and stores the state it found; false when it was there already. */
export async function installBelay(session: Session): Promise<boolean> {
  if (await belayInstalled(session)) return false;
  const text = await readFile(new URL(`../supabase/migrations/${belayMigrationFile}`, import.meta.url), "utf8");
  try {
    await session.run(`begin; ${text}\n; commit`);
  } catch (error) {
    await session.run("rollback").catch(() => {});
    throw databaseError(error, { doing: "installing schema belay" });
  }
  await storeBaseline(session);
  return true;
}
