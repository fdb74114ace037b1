import type { Entry } from "./types.ts";

const kindWords: Readonly<Record<string, string>> = {
  "FK CONSTRAINT": "foreign key",
  "CHECK CONSTRAINT": "check constraint",
  ACL: "grants on",
  COMMENT: "comment on",
  "SECURITY LABEL": "security label on",
  BLOB: "large object",
  "PUBLICATION TABLE": "publication and its table",
  "PUBLICATION TABLES IN SCHEMA": "publication and its schema",
};

/** Kinds whose names begin with their table's. */
export const namedAfterTable: ReadonlySet<string> = new Set([
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "FK CONSTRAINT",
  "TRIGGER",
  "POLICY",
  "RULE",
  "DEFAULT",
]);

/** An entry as a sentence names it: `table public.orders`, `foreign key orders_customer_fkey on public.orders`. */
export function entryWords({ kind, schema, name }: Pick<Entry, "kind" | "schema" | "name">): string {
  // Its name says what it is already: USER MAPPING amy SERVER far.
  if (kind === "USER MAPPING") return name.replace(/^USER MAPPING (.*) SERVER /s, "user mapping of $1 on server ");
  const words = kindWords[kind] ?? kind.toLowerCase();
  // So do the names of casts and transforms: CAST (text AS integer).
  if (name.startsWith(`${kind} `) && (kind === "CAST" || kind === "TRANSFORM"))
    return `${words} ${name.slice(kind.length + 1)}`;
  const prefix = schema === null ? "" : `${schema}.`;
  const space = name.indexOf(" ");
  if (namedAfterTable.has(kind) && space > 0)
    return `${words} ${name.slice(space + 1)} on ${prefix}${name.slice(0, space)}`;
  return `${words} ${prefix}${name}`;
}
