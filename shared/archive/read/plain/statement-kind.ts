import { readCopyStatement } from "./copy-statement.ts";
import { readSetting } from "./follow-settings.ts";
import { type SqlToken, sqlTokens } from "./tokens.ts";

/** What a statement of a script does, as far as a restore treats it differently. */
export type StatementKind =
  /** Rows, or SQL that may share a transaction with its neighbours. */
  | { readonly kind: "insert" | "ordinary" | "alone" }
  | { readonly kind: "transaction"; readonly verb: "begin" | "end" | "inside" }
  | { readonly kind: "encoding" }
  | { readonly kind: "setting"; readonly name: string }
  | { readonly kind: "owner" | "grant" | "sequence value" | "large object" | "statistics" }
  /** `start` and `end`: where the database's name stands in the statement. */
  | {
      readonly kind: "database";
      readonly verb: string;
      readonly database: string;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "refused"; readonly why: string; readonly hint: string };

const mostTokens = 4000;

/** Statements of pg_dump that may run in one query with others: none sees another's commit, none controls transactions. */
const together =
  /^(CREATE (TABLE|UNLOGGED TABLE|FOREIGN TABLE|SEQUENCE|VIEW|OR REPLACE VIEW|FUNCTION|PROCEDURE|OR REPLACE FUNCTION|OR REPLACE PROCEDURE|TRIGGER|POLICY|RULE|SCHEMA|DOMAIN|STATISTICS)|ALTER (TABLE|SEQUENCE|VIEW|FUNCTION|PROCEDURE|INDEX|DOMAIN|SCHEMA|MATERIALIZED VIEW)|COMMENT ON|GRANT|REVOKE)\b/;

export function statementKind(text: string): StatementKind {
  if (/^insert\b/i.test(text)) return { kind: "insert" };
  const tokens = [...sqlTokens(text, mostTokens)];
  const words = leading(tokens);
  return (
    transaction(words) ??
    database(words, tokens) ??
    outside(words, tokens) ??
    copy(words, text) ??
    setting(text, tokens) ??
    owned(words, tokens) ??
    called(tokens) ?? { kind: together.test(words) && !words.includes("CONCURRENTLY") ? "ordinary" : "alone" }
  );
}

/** The first words, upper case, as one text: quoted names end them. */
function leading(tokens: readonly SqlToken[]): string {
  const end = tokens.slice(0, 6).findIndex(({ kind }) => kind !== "word");
  return tokens
    .slice(0, end === -1 ? 6 : end)
    .map(({ text }) => text)
    .join(" ");
}

function transaction(words: string): StatementKind | null {
  if (/^(BEGIN|START TRANSACTION)\b/.test(words)) return { kind: "transaction", verb: "begin" };
  if (/^(COMMIT|END|ROLLBACK|ABORT)\b/.test(words)) {
    if (/\bPREPARED\b/.test(words)) return refused("settles a prepared transaction");
    const inside = /\bCHAIN$/.test(words)
      ? !/\bNO CHAIN$/.test(words)
      : /^ROLLBACK( WORK| TRANSACTION)? TO\b/.test(words);
    return { kind: "transaction", verb: inside ? "inside" : "end" };
  }
  if (/^PREPARE TRANSACTION\b/.test(words)) return refused("leaves a prepared transaction behind");
  return /^(SAVEPOINT|RELEASE)\b/.test(words) ? { kind: "transaction", verb: "inside" } : null;
}

function database(words: string, tokens: readonly SqlToken[]): StatementKind | null {
  const verb = /^(CREATE|DROP|ALTER|COMMENT ON|GRANT|REVOKE|SECURITY LABEL)\b/.exec(words)?.[1];
  if (verb === undefined) return null;
  const direct = ["CREATE", "DROP", "ALTER"].includes(verb);
  const at = tokens.findIndex(
    (token, index) =>
      token.kind === "word" && token.text === "DATABASE" && (direct ? index === 1 : tokens[index - 1]?.text === "ON"),
  );
  if (at === -1) return null;
  const name = tokens.slice(at + 1).find((token) => !(token.kind === "word" && /^(IF|EXISTS)$/.test(token.text)));
  if (name === undefined) return null;
  return { kind: "database", verb, database: name.identifier ?? "", start: name.start, end: name.end };
}

function outside(words: string, tokens: readonly SqlToken[]): StatementKind | null {
  if (/^(CREATE|ALTER|DROP) (ROLE|USER|GROUP)\b(?! MAPPING)/.test(words))
    return refused("makes or changes a role of the whole server", rolesHint);
  if (/^GRANT\b/.test(words) && !tokens.some(({ kind, text }) => kind === "word" && text === "ON"))
    return refused("grants a role of the whole server", rolesHint);
  if (/^(CREATE|ALTER|DROP) TABLESPACE\b/.test(words)) return refused("makes or changes a tablespace", rolesHint);
  if (/^ALTER SYSTEM\b/.test(words)) return refused("changes the server's configuration");
  return null;
}

function copy(words: string, text: string): StatementKind | null {
  if (!words.startsWith("COPY")) return null;
  const found = readCopyStatement(text);
  if (found === null || found.place === "stdin") return null;
  if (found.place === "program") return refused("runs a program on the server");
  return refused(
    found.direction === "to" ? "writes rows out of the database" : "reads a file of the server",
    "Dump the rows into the script (pg_dump does), or copy them by hand.",
  );
}

function setting(text: string, tokens: readonly SqlToken[]): StatementKind | null {
  if (readSetting(text)?.name === "encoding") return { kind: "encoding" };
  if (tokens[0]?.text !== "SET" || tokens[0].kind !== "word") return null;
  if (tokens[1]?.text === "SESSION" && tokens[2]?.text === "AUTHORIZATION") return { kind: "owner" };
  return { kind: "setting", name: tokens[1]?.identifier ?? "" };
}

function owned(words: string, tokens: readonly SqlToken[]): StatementKind | null {
  if (/^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES)\b/.test(words)) return { kind: "grant" };
  if (!words.startsWith("ALTER")) return null;
  const at = tokens.length - 3;
  return tokens[at]?.text === "OWNER" && tokens[at + 1]?.text === "TO" ? { kind: "owner" } : null;
}

/** `SELECT pg_catalog.setval(...)` and the functions of large objects, with or without the schema. */
function called(tokens: readonly SqlToken[]): StatementKind | null {
  if (tokens[0]?.text !== "SELECT") return null;
  const name = tokens[1]?.identifier === "pg_catalog" ? tokens[3]?.identifier : tokens[1]?.identifier;
  if (tokens.slice(0, 8).some(({ identifier }) => /^pg_restore_\w+_stats$/.test(identifier ?? "")))
    return { kind: "statistics" };
  if (name === "setval") return { kind: "sequence value" };
  return /^(lo_|lowrite$|loread$)/.test(name ?? "") ? { kind: "large object" } : null;
}

const rolesHint =
  "Make roles, their memberships and tablespaces on the server first, with psql, and take them out of the script.";

function refused(
  why: string,
  hint = "Take the statement out of the script, or run the script with psql.",
): StatementKind {
  return { kind: "refused", why, hint };
}
