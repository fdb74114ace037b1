/**
 * How the names of the schemas begin in which a rollback keeps what it took (`--preserve`). Like `belay` they are no part
 * of the team's catalog.
 */
export const keptPrefix = "belay_kept_";

/** Whether rows that a rollback keeps are in this schema. */
export function isKeptSchema(name: string): boolean {
  return name.startsWith(keptPrefix);
}

/** Of the entries of an archive, the schemas of kept rows, in words for people; empty when there are none. */
export function keptSchemasWords(entries: readonly { readonly kind: string; readonly name: string }[]): string[] {
  const names = entries.filter(({ kind, name }) => kind === "SCHEMA" && isKeptSchema(name)).map(({ name }) => name);
  if (names.length === 0) return [];
  const what = names.length === 1 ? `schema ${names[0]} holds` : `schemas ${names.join(", ")} hold`;
  return [`${what} what rollbacks kept in the source: see belay quarantine list`];
}
