import { quoteIdent, quoteLiteral } from "../identifiers.ts";

/** `name=value, ...` of a WITH clause from pg_class.reloptions, as pg_dump quotes them. */
export function optionList(options: readonly string[], prefix = ""): string {
  return options.map((option) => optionText(option, prefix)).join(", ");
}

function optionText(option: string, prefix: string): string {
  const cut = option.indexOf("=");
  const name = cut < 0 ? option : option.slice(0, cut);
  const value = cut < 0 ? "" : option.slice(cut + 1);
  return `${prefix}${quoteIdent(name)}=${quoteIdent(value) === value ? value : quoteLiteral(value)}`;
}
