import type { Entry } from "../../catalog/types.ts";
import { labels } from "../../rollback/undo/enums.ts";

/** Labels, quoted, that an enum has in one state and had not in the other, where all else is as it was. */
export function gainedLabels(was: Entry, is: Entry): string[] {
  if (was.kind !== "TYPE" || was.create === is.create) return [];
  const [old, current] = [labels(was), labels(is)];
  if (old === null || current === null || current.filter((label) => old.includes(label)).join() !== old.join())
    return [];
  return current.filter((label) => !old.includes(label));
}
