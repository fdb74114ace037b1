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

/** Belay's own migration is never in its own ledger. */
export function installsBelay(file: SourceFile): boolean {
  return /^[ \t]*create[ \t]+schema[ \t]+(if[ \t]+not[ \t]+exists[ \t]+)?belay[ \t]*;/im.test(file.text);
}
