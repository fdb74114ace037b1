import { compareCatalogs } from "../../catalog/differences.ts";
import { withoutSecrets } from "../../catalog/secrets.ts";
import type { Entry } from "../../catalog/types.ts";
import { entriesOf, type State, sameState } from "./state.ts";
import { compareTables } from "./tables.ts";
import type { ProofDifference, ProofVerdict } from "./types.ts";

/** What the states around a rollback say of it. */
export interface Judgement {
  readonly verdict: Extract<ProofVerdict, "exact" | "column-order" | "residue" | "overreach" | "differs" | "noop">;
  readonly differences: readonly ProofDifference[];
  /** The rollback SQL changed no entry. */
  readonly noop: boolean;
  readonly changesSchema: boolean;
}

/** Compares the state after the rollback with the state before the migration. */
export function judge(before: State, after: State, afterDown: State): Judgement {
  const noop = sameState(after, afterDown);
  const facts = { noop, changesSchema: !sameState(before, after) };
  if (sameState(before, afterDown)) return { verdict: "exact", differences: [], ...facts };
  const { removed, added, changed } = compareCatalogs(entriesOf(before), entriesOf(afterDown));
  const orderOf = (one: { before: Entry; after: Entry }) => movedColumns(one.before, one.after);
  const differences: ProofDifference[] = [
    ...added.map((entry) => difference(entry, "left_over", null, entry)),
    ...removed.map((entry) => difference(entry, "missing", entry, null)),
    ...changed.map((one) => difference(one.after, orderOf(one) ? "column_order" : "changed", one.before, one.after)),
  ];
  if (noop) return { verdict: "noop", differences, ...facts };
  const ways = new Set([
    ...(added.length > 0 ? ["residue"] : []),
    ...(removed.length > 0 ? ["overreach"] : []),
    ...changed.map((one) => (orderOf(one) ? "column-order" : wayOf(one.before, one.after))),
  ]);
  const only = ways.size === 1 ? [...ways][0] : "differs";
  return { verdict: only as Judgement["verdict"], differences, ...facts };
}

/** A table that kept what the migration added to it, or lost what it had, without any other difference. */
function wayOf(before: Entry, after: Entry): "residue" | "overreach" | "differs" {
  const difference = compareTables(before, after);
  if (difference === null || difference.around) return "differs";
  if (difference.gone.length === 0) return "residue";
  return difference.added.length === 0 ? "overreach" : "differs";
}

function movedColumns(before: Entry, after: Entry): boolean {
  const difference = compareTables(before, after);
  return difference !== null && !difference.around && difference.gone.length + difference.added.length === 0;
}

function difference(
  entry: Entry,
  how: ProofDifference["how"],
  before: Entry | null,
  after: Entry | null,
): ProofDifference {
  const text = (one: Entry | null) => (one === null ? null : withoutSecrets(one));
  const { key, kind, schema, name } = entry;
  return { key, kind, schema, name, how, before: text(before), after: text(after) };
}
