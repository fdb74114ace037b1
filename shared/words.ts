/** `1 table`, `3 tables`, `12,003 rows`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}

/** The first names, and how many more there are: the whole list belongs in data, not in a sentence. */
export function listed(names: readonly string[], most = 5, between = ", "): string {
  const shown = names.slice(0, most).join(between);
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** Text on one line, of at most that many characters; a mark says that something was left out. */
export function shorten(text: string, most = 120): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
