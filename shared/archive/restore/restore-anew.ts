import { quoteIdent } from "../../catalog/identifiers.ts";
import { openSession } from "../../postgres/session.ts";
import { createDatabase, databaseName, openMaintenance } from "./create-database.ts";
import { readUserObjects } from "./preflight/empty.ts";
import { restoreArchive } from "./restore.ts";
import type { RestoreReport, RestoreRequest } from "./types.ts";

/**
 * Makes the database that the URL names and restores an archive into it. When the restore fails before anything came
 * into it, the database is dropped again. Errors: those of createDatabase and restoreArchive.
 */
export async function restoreAnew(request: RestoreRequest): Promise<RestoreReport> {
  const created = await createDatabase(request.url, request.archive);
  try {
    const report = await restoreArchive({ ...request, made: true });
    return { ...report, warnings: [...created.warnings, ...report.warnings] };
  } catch (error) {
    // What failed is worth more to know than a database that could not be dropped.
    await dropUntouched(request.url).catch(() => {});
    throw error;
  }
}

async function dropUntouched(url: string): Promise<void> {
  const session = await openSession(url, { applicationName: "belay restore" });
  const objects = await readUserObjects(session).finally(() => session.close());
  if (objects.length > 0) return;
  const server = await openMaintenance(url);
  await server.run(`DROP DATABASE ${quoteIdent(databaseName(url))}`).finally(() => server.close());
}
