import { quoteIdent, quoteLiteral } from "../identifiers.ts";

/** Settings whose value is a list of names that the server quotes one by one (GUC_LIST_QUOTE in guc_tables.c). */
const quotedLists = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

/** Dollar quotes with the shortest of pg_dump's tags that the text does not contain. */
export function dollarQuoted(text: string): string {
  const suffixes = "_XXXXXXX";
  let delimiter = "$";
  for (let next = 0; text.includes(delimiter); next = (next + 1) % suffixes.length) delimiter += suffixes[next];
  delimiter += "$";
  return `${delimiter}${text}${delimiter}`;
}

/** `name TO value` of a setting as pg_proc.proconfig keeps it (`name=value`). */
export function settingText(setting: string): string {
  const at = setting.indexOf("=");
  const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
  const values = quotedLists.has(name.toLowerCase()) ? listElements(value) : [value];
  return `${quoteIdent(name)} TO ${values.map(quoteLiteral).join(", ")}`;
}

/** Elements of a comma-separated list in which the server has quoted what needs it. */
function listElements(list: string): string[] {
  const elements: string[] = [];
  for (const match of list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(?:,|$)/g)) {
    if (match[0] === "") break;
    elements.push(match[1] === undefined ? match[2]!.trim() : match[1].replaceAll('""', '"'));
  }
  return elements;
}
