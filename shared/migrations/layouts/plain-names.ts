import type { LayoutName } from "../types.ts";
import type { SourceFile } from "./source.ts";

/** Layouts whose forward file is `20250120_x.sql`: they stand side by side, and differ in where the rollback SQL is. */
export const plainLayouts = ["section", "rollbacks-folder", "prefix", "mirror-folder"] as const;
export type PlainLayout = (typeof plainLayouts)[number];

export const rollbackFolders: readonly string[] = ["rollbacks", "rollback"];
export const rollbackPrefix = /^rollback[_-]/i;

export function isPlainLayout(layout: LayoutName): layout is PlainLayout {
  return (plainLayouts as readonly LayoutName[]).includes(layout);
}

/** Belay's own migration is never in its own ledger; a file that only names the schema is a migration like any other. */
export function installsBelay(file: SourceFile): boolean {
  return /^create schema belay;\r?$/m.test(file.text) && /^create table belay\.migration_history /m.test(file.text);
}
