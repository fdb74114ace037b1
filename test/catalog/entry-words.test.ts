import { expect, it } from "vitest";
import { entryWords } from "../../shared/catalog/entry-words.ts";

it.each([
  ["TABLE", "public", "orders", "table public.orders"],
  ["FK CONSTRAINT", "public", "orders orders_fkey", "foreign key orders_fkey on public.orders"],
  ["FOREIGN TABLE", "far", "away", "foreign table far.away"],
  ["SERVER", null, "far", "server far"],
  ["USER MAPPING", null, "USER MAPPING amy SERVER far", "user mapping of amy on server far"],
  ["CAST", null, "CAST (text AS app.mood)", "cast (text AS app.mood)"],
  ["TRANSFORM", null, "TRANSFORM FOR integer LANGUAGE sql", "transform FOR integer LANGUAGE sql"],
  ["OPERATOR CLASS", "app", "money_ops", "operator class app.money_ops"],
  ["BLOB", null, "16999", "large object 16999"],
  ["SECURITY LABEL", null, "SCHEMA app", "security label on SCHEMA app"],
])("%s is named as a sentence names it", (kind, schema, name, words) => {
  expect(entryWords({ kind, schema, name })).toBe(words);
});
