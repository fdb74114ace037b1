import { quoteIdent } from "../../../catalog/identifiers.ts";
import type { ScriptTable } from "../../read/plain/names.ts";
import type { StatementKind } from "../../read/plain/statement-kind.ts";
import { firstWords } from "../../read/plain/survey.ts";
import type { RestoreOptions } from "../types.ts";

/** What is done with a statement. `together`: it may share a query with its neighbours. */
export type Decision =
  | { readonly action: "run" | "together" }
  /** It is run in another form: for the database that is restored into. */
  | { readonly action: "rewritten"; readonly text: string }
  | { readonly action: "skip"; readonly warning: string | null }
  | { readonly action: "refuse"; readonly why: string; readonly hint: string };

export interface DecideContext {
  readonly options: RestoreOptions;
  /** The database that the script itself makes, or null. */
  readonly database: string | null;
  /** The database that was made for this restore, or null when it was there before. */
  readonly made: string | null;
  /** Settings that pg_dump writes and that this server does not know. */
  readonly unknownSettings: ReadonlySet<string>;
  /** As `server_version_num`. */
  readonly serverVersion: number;
}

const firstWithStatistics = 180_000;
const noStatistics =
  "the script's planner statistics are for PostgreSQL 18: they are left out, and ANALYZE makes new ones";

const quietly: Decision = { action: "skip", warning: null };

/** Decides on one statement by its kind and the restore's options. */
export function decide(found: StatementKind, text: string, context: DecideContext): Decision {
  const { owners = true, grants = true, rows = true, tables } = context.options;
  // Large objects are data, and so is what is said of them.
  if (!rows && /^[^'"$]*\blarge\s+object\b/i.test(text)) return quietly;
  switch (found.kind) {
    case "refused":
      return { action: "refuse", why: `it ${found.why}`, hint: found.hint };
    case "database":
      return decideDatabase(found, text, context);
    case "encoding":
      return quietly;
    case "setting":
      if (!context.unknownSettings.has(found.name)) return { action: "run" };
      return { action: "skip", warning: `the server does not know the setting ${found.name}: it is left out` };
    case "transaction":
      return { action: "run" };
    case "insert":
      return rows ? { action: "together" } : quietly;
    case "large object":
      return rows && tables === undefined ? { action: "run" } : quietly;
    case "sequence value":
      return rows && tables === undefined ? { action: "together" } : quietly;
    case "owner":
      if (!owners || tables !== undefined) return quietly;
      return { action: /^set\b/i.test(text) ? "run" : "together" };
    case "grant":
      return grants && tables === undefined ? { action: "together" } : quietly;
    case "statistics":
      if (tables !== undefined) return quietly;
      return context.serverVersion >= firstWithStatistics
        ? { action: "run" }
        : { action: "skip", warning: noStatistics };
    case "ordinary":
      return tables === undefined ? { action: "together" } : quietly;
    case "alone":
      return tables === undefined || /^(reset|select\s+pg_catalog\.set_config)\b/i.test(text)
        ? { action: "run" }
        : quietly;
  }
}

/** A restore goes into the database that it was given, whatever the script's own is called. */
function decideDatabase(
  { verb, database, start, end }: Extract<StatementKind, { kind: "database" }>,
  text: string,
  { database: own, made, options: { owners = true, grants = true } }: DecideContext,
): Decision {
  const direct = ["CREATE", "DROP", "ALTER"].includes(verb);
  if (direct && database !== own)
    return { action: "refuse", why: `it is about another database, ${database}`, hint: "Take it out of the script." };
  const ownership = verb === "ALTER" && /\sowner\s+to\s/i.test(text);
  if (verb === "CREATE" || verb === "DROP" || (ownership && (made === null || !owners))) return quietly;
  if (made !== null && database === own)
    return ["GRANT", "REVOKE"].includes(verb) && !grants
      ? quietly
      : { action: "rewritten", text: text.slice(0, start) + quoteIdent(made) + text.slice(end) };
  return {
    action: "skip",
    warning: `what the script says of the database ${database} itself is left out: ${firstWords(text)}`,
  };
}

/** Whether the rows of a table are wanted; a name without its schema counts as one of public. */
export function isWanted({ schema, table }: ScriptTable, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.includes(`${schema ?? "public"}.${table}`);
}
