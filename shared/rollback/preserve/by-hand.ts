import type { MovedAway } from "../../archive/write/input.ts";
import { entryKey } from "../../catalog/entry.ts";
import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Plan } from "../types.ts";
import { purgeDate } from "./settle-kept.ts";

/** What an archive's README says of the tables that the rollback moves away: where they are, and how they come back by hand. */
export function movedAway(
  preserve: Plan["preserve"] | undefined,
  entries: readonly Entry[],
  now: Date,
): MovedAway | undefined {
  if (preserve?.mode !== "quarantine" || preserve.kept.length === 0) return undefined;
  const moved = preserve.kept.filter(({ kind }) => kind === "table" || kind === "type");
  const homes = [...new Set(moved.map(({ schema }) => schema))].filter((name) => name !== "public");
  const schemas = [...new Set(moved.map(({ keptIn }) => keptIn))];
  const isDomain = (schema: string, name: string) =>
    entries.some((entry) => entry.kind === "DOMAIN" && entry.schema === schema && entry.name === name);
  return {
    names: moved.flatMap(({ kind, schema, name }) => (kind === "table" ? [`${schema}.${name}`] : [])),
    schemas,
    until: purgeDate(preserve, now).slice(0, 10),
    back: [
      ...homes.map((name) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdent(name)};`),
      ...moved.flatMap(({ kind, schema, name, keptIn, as }) => {
        const word = kind === "table" ? "TABLE" : isDomain(schema, name) ? "DOMAIN" : "TYPE";
        const rename = as === name ? [] : [`ALTER ${word} ${qualified(schema, as)} RENAME TO ${quoteIdent(name)};`];
        return [`ALTER ${word} ${qualified(keptIn, as)} SET SCHEMA ${quoteIdent(schema)};`, ...rename];
      }),
      ...preserve.kept
        .filter(({ kind, as, name }) => kind === "sequence" && as !== name)
        .map(({ schema, name, as }) => `ALTER SEQUENCE ${qualified(schema, as)} RENAME TO ${quoteIdent(name)};`),
      ...moved.flatMap(({ kind, schema, name, keptIn }) => {
        const table = entryKey({ kind: "TABLE", schema, name, owner: null });
        const own = entries.filter((entry) => entry.kind === "STATISTICS" && entry.dependencies.includes(table));
        if (kind !== "table") return [];
        return own.map(
          (entry) => `ALTER STATISTICS ${qualified(keptIn, entry.name)} SET SCHEMA ${quoteIdent(entry.schema!)};`,
        );
      }),
    ],
    last: schemas.map((name) => `DROP SCHEMA ${quoteIdent(name)};`),
  };
}
