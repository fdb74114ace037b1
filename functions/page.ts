import { decodeCursor, encodeCursor, type Page } from "../shared/paging.ts";

/** A page of a list that is read whole, in its own order; the cursor names the last item. */
export function pageOfList<T>(
  list: readonly T[],
  query: { readonly limit: number; readonly cursor?: string },
  idOf: (item: T) => string,
): Page<T> {
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor).id;
  const start = after === null ? 0 : list.findIndex((item) => idOf(item) === after) + 1;
  const items = after !== null && start === 0 ? [] : list.slice(start, start + query.limit);
  const last = items.at(-1);
  const more = last !== undefined && start + items.length < list.length;
  return { items, next: more ? encodeCursor("", idOf(last)) : null };
}
