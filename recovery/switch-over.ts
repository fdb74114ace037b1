import { quoteIdent } from "../shared/catalog/identifiers.ts";
import { BelayError } from "../shared/errors.ts";
import { databaseError, sqlState, sqlStateOf } from "../shared/postgres/errors.ts";
import type { Session } from "../shared/postgres/session.ts";
import { allowWritersSql } from "./sql.ts";
import { endSessions } from "./writers.ts";

const attempts = 20;

export interface Databases {
  /** The name under which the application connects. */
  readonly live: string;
  /** The restored copy. */
  readonly restored: string;
  /** The name that today's database gets. */
  readonly aside: string;
}

/** SQL that puts the former database back, to be run on another database of the server. */
export function switchBackSql({ live, restored, aside }: Databases): string[] {
  return [
    "BEGIN;",
    `ALTER DATABASE ${quoteIdent(live)} RENAME TO ${quoteIdent(restored)};`,
    `ALTER DATABASE ${quoteIdent(aside)} RENAME TO ${quoteIdent(live)};`,
    "COMMIT;",
    allowWritersSql(live),
  ];
}

/**
 * Renames both databases in one transaction: either the restored one has the live name, or nothing changed. Clients
 * that come back meanwhile are ended and it is tried again. Throws `database_error` when they keep coming back.
 */
export async function switchOver(server: Session, databases: Databases): Promise<void> {
  const { live, restored, aside } = databases;
  for (let left = attempts; ; left -= 1) {
    await endSessions(server, live);
    await endSessions(server, restored);
    try {
      await server.run(`begin;
        alter database ${quoteIdent(live)} rename to ${quoteIdent(aside)};
        alter database ${quoteIdent(restored)} rename to ${quoteIdent(live)};
        commit`);
      return;
    } catch (error) {
      await server.run("rollback");
      if (sqlStateOf(error) !== sqlState.objectInUse) throw databaseError(error, { doing: `renaming ${live}` });
      if (left <= 1) throw busy(live);
    }
  }
}

function busy(live: string): BelayError {
  return new BelayError("database_error", `clients keep coming back to ${live}: it could not be renamed`, {
    hint: "Nothing was switched. Stop the application's pool, and run the same command again.",
  });
}
