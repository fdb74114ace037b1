import { BelayError, type ErrorCode, isBelayError } from "../errors.ts";

/** SQLSTATEs that Belay decides on, by name (PostgreSQL manual, appendix A). */
export const sqlState = {
  lockNotAvailable: "55P03",
  deadlockDetected: "40P01",
  queryCanceled: "57014",
  insufficientPrivilege: "42501",
  undefinedTable: "42P01",
  undefinedFunction: "42883",
  invalidSchemaName: "3F000",
  invalidPassword: "28P01",
  invalidAuthorization: "28000",
  invalidCatalogName: "3D000",
  syntaxError: "42601",
  dependentObjectsStillExist: "2BP01",
  uniqueViolation: "23505",
  objectInUse: "55006",
  adminShutdown: "57P01",
} as const;

/** SQLSTATE of a server error, or undefined for anything else. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The server ended the session, or could not begin one (appendix A, classes 57 and 25). */
const endedByServer: ReadonlySet<string> = new Set([sqlState.adminShutdown, "57P02", "57P05", "25P03", "25P04"]);
const cannotConnectNow = "57P03";

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "CONNECT_TIMEOUT", "EHOSTUNREACH"]);
const lost = new Set([
  "CONNECTION_SILENT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "ECONNRESET",
  "EPIPE",
]);

/** Whether an error means that the connection is gone, so that nothing it was about has failed by itself. */
export function isConnectionLost(error: unknown): boolean {
  if (isBelayError(error)) return error.code === "connection_lost";
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  return lost.has(code) || endedByServer.has(code);
}

/** Whether the server says that it or the role is at fault (appendix A), so that no fault of Belay's own is meant. */
export function isServersRefusal(error: unknown): boolean {
  return /^(0A|25006|28|40|42501|53|54|55|57|58|XX)/.test(sqlStateOf(error) ?? "");
}

/** Turns what the driver threw into an error that names the place and the next step, without the password. */
export function databaseError(error: unknown, context: { url?: string; doing?: string } = {}): BelayError {
  if (isBelayError(error)) return error;
  const place = context.url === undefined ? "the database" : describeDatabase(context.url);
  const doing = context.doing === undefined ? "" : ` while ${context.doing}`;
  const message = error instanceof Error ? error.message : String(error);
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  const make = (errorCode: ErrorCode, text: string, hint: string) =>
    new BelayError(errorCode, text, { hint, cause: error, details: { sqlstate: sqlStateOf(error) } });

  if (code === sqlState.invalidPassword || code === sqlState.invalidAuthorization)
    return make("database_auth", `${place} refused the user or password`, "Check BELAY_DATABASE_URL or --database.");
  if (code === sqlState.invalidCatalogName)
    return make(
      "database_unreachable",
      `${place} does not exist`,
      "Check the database name in BELAY_DATABASE_URL or --database.",
    );
  if (unreachable.has(code) || code === cannotConnectNow)
    return make(
      "database_unreachable",
      `${place} does not answer (${code})`,
      "Check host and port, and that the server runs.",
    );
  if (isConnectionLost(error))
    return make(
      "connection_lost",
      `the connection to ${place} was lost${doing}`,
      "The server rolled back what was not committed. Run the same command again.",
    );
  if (/row-level security/.test(message))
    return make(
      "row_security",
      `${message}${doing}`,
      "Use a role with BYPASSRLS or the tables' owner: an archive must hold every row.",
    );
  if (code === sqlState.lockNotAvailable || code === sqlState.deadlockDetected)
    return make(
      "lock_not_obtained",
      `${message}${doing}`,
      "Another session holds the table. Try again, or end the blocker.",
    );
  if (code === sqlState.insufficientPrivilege)
    return make(
      "database_error",
      `${message}${doing}`,
      "Connect as the role that ran `belay init`, or as another that may use schema belay and owns what is asked for.",
    );
  return make("database_error", `${message}${doing}`, "See the server's log for more.");
}

/** `host:port/database` of a connection URL: never user or password. */
export function describeDatabase(url: string): string {
  try {
    const parsed = new URL(url);
    return `database ${parsed.hostname}:${parsed.port || "5432"}${parsed.pathname}`;
  } catch {
    return "the database";
  }
}
