import { quoteIdent } from "../../../catalog/identifiers.ts";
import type { Toc, TocEntry } from "../../format/toc.ts";
import type { Step } from "./types.ts";

/** Options of CREATE DATABASE that say how text is stored and sorted; the archived tablespace and name are not wanted. */
const wanted = [
  "ENCODING",
  "LOCALE_PROVIDER",
  "LOCALE",
  "LC_COLLATE",
  "LC_CTYPE",
  "ICU_LOCALE",
  "ICU_RULES",
  "BUILTIN_LOCALE",
];

/** ` ENCODING = 'UTF8' LOCALE = 'C'...` of a DATABASE entry; null when it has none. */
export function databaseOptions(defn: string, serverVersion: number): string | null {
  const known = serverVersion >= 150_000 ? wanted : wanted.filter((name) => name !== "LOCALE_PROVIDER");
  const options = [...defn.matchAll(/\b([A-Z_]+)\s*=\s*('(?:[^']|'')*'|[a-z]+)/g)].filter(([, name]) =>
    known.includes(name!),
  );
  return options.length === 0 ? null : options.map(([, name, value]) => ` ${name} = ${value}`).join("");
}

/**
 * What belongs to the database itself (owner, settings, comment, grants), for one of another name: only for a database
 * that the restore has made.
 */
export function databaseSteps(
  toc: Toc,
  name: string,
  { owners, grants }: { owners: boolean; grants: boolean },
): Step[] {
  const database = toc.entries.find(({ desc }) => desc === "DATABASE");
  if (database === undefined) return [];
  const step = (entry: TocEntry, sql: string): Step => ({ kind: "sql", entry, sql });
  const belongs = ({ desc, tag }: TocEntry) =>
    desc === "DATABASE PROPERTIES" ||
    (tag === `DATABASE ${database.tag}` &&
      (desc === "COMMENT" || desc === "SECURITY LABEL" || (desc === "ACL" && grants)));
  const owner =
    owners && database.owner
      ? [step(database, `ALTER DATABASE ${quoteIdent(name)} OWNER TO ${quoteIdent(database.owner)};`)]
      : [];
  const others = toc.entries.filter((entry) => belongs(entry) && entry.defn);
  return [...owner, ...others.map((entry) => step(entry, renamed(entry.defn!, database.tag, name)))];
}

/** pg_dump begins each statement on a line of its own and names the database once in it, before any value. */
function renamed(sql: string, from: string, to: string): string {
  const archived = `DATABASE ${quoteIdent(from)}`.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const named = new RegExp(`^((?:ALTER|COMMENT|GRANT|REVOKE|SECURITY)\\b[^']*? )${archived}(?=[ ;])`, "gm");
  return sql.replaceAll(named, (_, start: string) => `${start}DATABASE ${quoteIdent(to)}`);
}
