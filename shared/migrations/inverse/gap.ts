import { compareCatalogs } from "../../catalog/differences.ts";
import type { Catalog } from "../../catalog/types.ts";
import { sameButForColumnOrder } from "../../rollback/transaction/column-order.ts";

/** In what a catalog is not the wanted one, for people; both empty when every entry is equal. */
export interface CatalogGap {
  readonly differences: readonly string[];
  /** Tables that differ in the order of their columns alone. */
  readonly columnOrder: readonly string[];
}

export function compareStates(wanted: Catalog, got: Catalog): CatalogGap {
  const { removed, added, changed } = compareCatalogs(got, wanted);
  const reordered = changed.filter(({ before, after }) => sameButForColumnOrder(before, after));
  const differing = changed.filter((change) => !reordered.includes(change));
  return {
    differences: [
      ...removed.map((entry) => `${entry.key}: was not there before`),
      ...added.map((entry) => `${entry.key}: does not come back`),
      ...differing.map(({ after }) => `${after.key}: differs`),
    ].sort(),
    columnOrder: reordered.map(({ after }) => `${after.key}: columns in another order`).sort(),
  };
}
