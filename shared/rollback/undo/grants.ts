import { compareCatalogs } from "../../catalog/differences.ts";
import type { Entry } from "../../catalog/types.ts";

/**
 * SQL that leads from the grants of now to the expected ones. What was just made again got the default privileges in
 * force today, so grants that are too much are taken off before the expected ones are given.
 */
export function grantsBack(expected: readonly Entry[], now: readonly Entry[]): string[] {
  const wanted = expected.filter(isGrant);
  const { removed, added, changed } = compareCatalogs({ entries: now.filter(isGrant) }, { entries: wanted });
  const wrong = [...removed, ...changed.map((change) => change.before)];
  // REVOKE on a table takes its columns' grants too.
  const touched = new Set(wrong.flatMap(({ dependencies }) => dependencies));
  const coming = new Set([...added, ...changed.map((change) => change.after)].map(({ key }) => key));
  const given = wanted.filter(({ key, dependencies }) => coming.has(key) || dependencies.some((on) => touched.has(on)));
  return [...wrong.flatMap(takenOff), ...given.map(({ create }) => create)];
}

function isGrant({ kind }: Entry): boolean {
  return kind === "ACL" || kind === "DEFAULT ACL";
}

/** Each GRANT of the text revoked and each REVOKE granted, last one first: the object's built-in privileges are left. */
function takenOff(entry: Entry): string[] {
  return statements(entry.create).reverse().flatMap(reversed);
}

function statements(text: string): string[] {
  return outsideQuotes(text, ";").map((part) => part.trim());
}

function reversed(statement: string): string[] {
  const parts = statement.match(/^(ALTER DEFAULT PRIVILEGES .*? )?(GRANT|REVOKE) (.*)$/s);
  if (parts === null) return [];
  const [, prefix = "", verb, rest] = parts;
  const [privileges, object] = outsideQuotes(rest!, " ON ");
  const [on, who] = outsideQuotes(object ?? "", verb === "GRANT" ? " TO " : " FROM ");
  if (on === undefined || who === undefined) return [];
  const column = privileges!.match(/^[A-Z]+(\((?:"(?:[^"]|"")*"|[^)"])+\))/)?.[1] ?? "";
  const role = who.replace(/ WITH GRANT OPTION$/, "");
  return verb === "GRANT"
    ? [`${prefix}REVOKE ALL${column} ON ${on} FROM ${role} CASCADE`]
    : [`${prefix}GRANT ALL${column} ON ${on} TO ${role}`];
}

/** Cuts a text at a separator, but not within quoted names. */
function outsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (const piece of text.split(separator)) {
    part = part === "" ? piece : part + separator + piece;
    if ((part.match(/"/g)?.length ?? 0) % 2 === 1) continue;
    parts.push(part);
    part = "";
  }
  return part === "" ? parts : [...parts, part];
}
