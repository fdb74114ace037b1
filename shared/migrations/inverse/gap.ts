import { compareCatalogs } from "../../catalog/differences.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { sameButForColumnOrder } from "../../rollback/transaction/column-order.ts";
import { gainedLabels } from "./enum-labels.ts";

/** In what a catalog is not the wanted one, for people; both empty when every entry is equal. */
export interface CatalogGap {
  readonly differences: readonly string[];
  /** Tables that differ in the order of their columns alone. */
  readonly columnOrder: readonly string[];
  /** How many of the differences are enum labels that are left, which Postgres cannot take away. */
  readonly kept: number;
}

export const noGap: CatalogGap = { differences: [], columnOrder: [], kept: 0 };

export function compareStates(wanted: Catalog, got: Catalog): CatalogGap {
  const { removed, added, changed } = compareCatalogs(got, wanted);
  const reordered = changed.filter(({ before, after }) => sameButForColumnOrder(before, after));
  const differing = changed.filter((change) => !reordered.includes(change));
  return {
    differences: [
      ...removed.map((entry) => `${entry.key}: was not there before`),
      ...added.map((entry) => `${entry.key}: does not come back`),
      ...differing.map(({ before, after }) => `${after.key}: ${howDiffers(after, before)}`),
    ].sort(),
    kept: differing.filter(({ before, after }) => gainedLabels(after, before).length > 0).length,
    columnOrder: reordered.map(({ after }) => `${after.key}: columns in another order`).sort(),
  };
}

function howDiffers(was: Entry, is: Entry): string {
  const stay = gainedLabels(was, is);
  return stay.length === 0 ? "differs" : `keeps ${stay.join(", ")}: Postgres cannot take a label from an enum`;
}
