import type { Entry } from "./types.ts";

/**
 * An entry's CREATE text without the secrets that only their owner and superusers may read: options of user mappings,
 * connections of subscriptions. Its hash stays that of the whole text, so that a changed password is a change.
 */
export function withoutSecrets(entry: Pick<Entry, "kind" | "create">): string {
  if (entry.kind === "USER MAPPING") {
    const options = entry.create.indexOf(" OPTIONS (\n");
    if (options < 0) return entry.create;
    return entry.create.slice(0, options) + entry.create.slice(options).replaceAll(literal, hidden);
  }
  if (entry.kind === "SUBSCRIPTION") return entry.create.replace(connection, (_, before) => `${before}${hidden}`);
  return entry.create;
}

const hidden = "'(hidden)'";
const literal = /E?'(?:[^']|'')*'/g;
/** Behind the subscription's name, which may be quoted and hold anything. */
const connection = /^(CREATE SUBSCRIPTION (?:"(?:[^"]|"")*"|\S+) CONNECTION )'(?:[^']|'')*'/;
