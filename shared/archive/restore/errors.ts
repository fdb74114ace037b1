import { qualified } from "../../catalog/identifiers.ts";
import { BelayError, type ErrorCode, isBelayError } from "../../errors.ts";
import { databaseError, sqlStateOf } from "../../postgres/errors.ts";
import type { TocEntry } from "../format/toc.ts";

/** Why a restore failed, as a closed set. */
export type RestoreFault =
  | "bad_data"
  | "missing_role"
  | "missing_extension"
  | "permission"
  | "disk_full"
  | "limit"
  | "connection_lost"
  | "version"
  | "exists"
  | "other";

export interface FaultContext {
  /** `TABLE public.orders`, or `line 12 of the script`. */
  readonly what: string;
  /** `public.orders`, where rows were loaded. */
  readonly table?: string;
  /** The COPY line that the server names is one of the whole table: false when several sessions share it. */
  readonly lines?: boolean;
  /** Major version of the server that was dumped, and of the one that is restored to. */
  readonly majors?: { readonly from: number; readonly into: number };
}

/** Says which entry does not restore, why, and what to do; never with a row's values. */
export function restoreError(error: unknown, context: FaultContext): BelayError {
  if (isBelayError(error) && error.code !== "database_error" && error.code !== "connection_lost") return error;
  const cause = isBelayError(error) && error.cause !== undefined ? error.cause : error;
  const known = databaseError(cause);
  const state = sqlStateOf(cause) ?? "";
  const fault = known.code === "connection_lost" ? "connection_lost" : faultOf(state, cause, context);
  const place = context.table === undefined ? {} : copyPlace(cause, context);
  const parts = [
    ...(place.line === undefined ? [] : [`line ${place.line}`]),
    ...(place.column === undefined ? [] : [`column ${place.column}`]),
  ];
  const where = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  const message = `restoring ${context.what} failed${where}: ${saying(cause, state, known)}`;
  return new BelayError(codes[fault], message, {
    hint: hints[fault],
    cause,
    details: {
      ...known.details,
      sqlstate: state || undefined,
      fault,
      entry: context.what,
      table: context.table,
      ...place,
    },
  });
}

export function entryName(entry: Pick<TocEntry, "desc" | "namespace" | "tag">): string {
  return `${entry.desc} ${entry.namespace === null ? entry.tag : qualified(entry.namespace, entry.tag)}`;
}

const codes: Record<RestoreFault, ErrorCode> = {
  bad_data: "archive_invalid",
  missing_role: "restore_target",
  missing_extension: "restore_target",
  permission: "restore_target",
  version: "restore_target",
  exists: "restore_target",
  disk_full: "database_error",
  limit: "database_error",
  connection_lost: "connection_lost",
  other: "archive_invalid",
};

const again = "then run the same command with --resume: what is restored is kept";
const hints: Record<RestoreFault, string> = {
  bad_data:
    "The archive holds rows that this server refuses. `belay archives verify` tells whether the archive is damaged; use another one, or restore the other tables with --table.",
  missing_role: `Make the role (CREATE ROLE), ${again}; or begin again with --no-owner --no-acl.`,
  missing_extension: `Install the extension's package on the server, ${again}.`,
  permission: `Restore as a superuser or as a role that may do this, ${again}; --no-owner and --no-acl ask for fewer rights.`,
  version: "The archive comes from a newer server than this one. Restore it into a server of its own version.",
  exists: "Something of that name is in the database already. Restore into an empty database (--create makes one).",
  disk_full: `Make room on the server's disk, ${again}.`,
  limit: `Raise the server's limit that the message names, ${again}.`,
  connection_lost:
    "The server rolled back what was not committed. Run the same command with --resume: what is restored is kept.",
  other: `Mend what the message names, ${again}; or use another archive.`,
};

function faultOf(state: string, cause: unknown, { table, majors }: FaultContext): RestoreFault {
  const message = cause instanceof Error ? cause.message : "";
  if (state === "53100") return "disk_full";
  if (state.startsWith("53") || state.startsWith("54")) return "limit";
  if (state.startsWith("57P") || state.startsWith("08")) return "connection_lost";
  if (state === "42501") return "permission";
  if (state === "42704" && /^role /.test(message)) return "missing_role";
  if (state === "58P01" || (state === "0A000" && /extension/.test(message))) return "missing_extension";
  if (["42P04", "42P06", "42P07", "42710", "42723"].includes(state)) return "exists";
  const newer = majors !== undefined && majors.from > majors.into;
  if (newer && ["42601", "42704", "42883", "0A000", "22023"].includes(state)) return "version";
  if (state.startsWith("22") || state.startsWith("23")) return "bad_data";
  if (table !== undefined && state === "42601") return "bad_data";
  return "other";
}

/** `COPY orders, line 3, column id: "x"`: the value is left out. */
function copyPlace(cause: unknown, { lines }: FaultContext): { line?: number; column?: string } {
  const where = String((cause as { where?: unknown } | null)?.where ?? "");
  const found = /^COPY [^\n]*?, line (\d+)(?:, column ([^\n:]+?))?(?::|$)/m.exec(where);
  if (found === null) return {};
  return {
    ...(lines === false ? {} : { line: Number(found[1]) }),
    ...(found[2] === undefined ? {} : { column: found[2] }),
  };
}

/** The server's words, but of data errors only those that hold no value. */
function saying(cause: unknown, state: string, known: BelayError): string {
  if (known.code === "connection_lost") return "the connection to the server was lost";
  if (!state.startsWith("22")) return known.message;
  const message = cause instanceof Error ? cause.message : "";
  if (state === "22P04") return message.replace(/: ".*$/s, "");
  return dataErrors[state] ?? `the server refuses a value (SQLSTATE ${state})`;
}

const dataErrors: Record<string, string> = {
  "22P02": "a value is not of its column's type",
  "22003": "a number is out of its column's range",
  "22007": "a date or time is not one",
  "22008": "a date or time is out of range",
  "22001": "a value is too long for its column",
  "22021": "bytes that are not text in the archive's encoding",
  "22P05": "a character that the database's encoding does not have",
};
