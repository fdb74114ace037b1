/** A node of libpg-query's tree: one key per field, enums as their C names. */
export type Node = Record<string, unknown>;

/** The strings of a List, or of an array of String nodes. */
export function wordsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const items = Array.isArray(value) ? value : ((value as { List?: { items?: unknown[] } }).List?.items ?? []);
  return items.flatMap((item) => {
    const text = (item as { String?: { sval?: string } }).String;
    return text === undefined ? [] : [text.sval ?? ""];
  });
}

export function stringsOf(value: unknown): string[] {
  const one = (value as { String?: { sval?: string } } | null)?.String;
  return one === undefined ? wordsOf(value) : [one.sval ?? ""];
}

export function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? (value as Node[]) : [];
}

/** `schema.name` as a RangeVar writes it. */
export function rangeName(range: Node | undefined): string {
  if (range === undefined) return "";
  return [range.schemaname, range.relname].filter(Boolean).join(".");
}
