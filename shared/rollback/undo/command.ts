import type { UndoTarget } from "./plan-types.ts";

/** The undo as words of the command line. */
export function undoCommand({ only, discardNewer }: UndoTarget, rollbackId: string, prefix = ""): string {
  const tables = (only ?? []).map((table) => ` --only ${table}`);
  const discards = (discardNewer ?? []).map((table) => ` --discard-newer ${table}`);
  return `${prefix}${rollbackId}${tables.join("")}${discards.join("")}`;
}
