import { commentLines } from "../../sql/comments.ts";
import type { LayoutName } from "../types.ts";
import { isDbmateMarker } from "./dbmate.ts";
import { flywayName } from "./flyway.ts";
import { folderVersion, forwardNames } from "./folder-pair.ts";
import { isGooseMarker } from "./goose.ts";
import { toolLines } from "./markers.ts";
import { installsBelay, type PlainLayout, rollbackFolders, rollbackPrefix } from "./plain-names.ts";
import { type SourceFile, type SourceFolder, versionOf } from "./source.ts";
import { isSqlMigrateMarker } from "./sql-migrate.ts";
import { downFile, upFile } from "./up-down-pair.ts";

/** What a file's name, place and markers say of its layout. `plain`: any whose forward file is `20250120_x.sql`. */
export interface Sign {
  readonly file: SourceFile;
  readonly layout: Exclude<LayoutName, PlainLayout> | "plain" | null;
  /** For `plain`: where it shows rollback SQL, if it does. */
  readonly rollback: PlainLayout | null;
  /** A migration, or a rollback of one. */
  readonly part: "forward" | "rollback";
}

/** The signs of every file of a folder and of those beneath it. */
export function signsOf(folder: SourceFolder): Sign[] {
  const forwardFiles = new Set(folder.files.map((file) => file.name));
  return [
    ...folder.files.filter((file) => !installsBelay(file)).map(signOfFile),
    ...folder.folders.flatMap(({ name, files }) =>
      files.map((file): Sign => {
        if (rollbackFolders.includes(name)) {
          const rollback = forwardFiles.has(file.name) ? "mirror-folder" : "rollbacks-folder";
          return { file, layout: "plain", rollback, part: "rollback" };
        }
        const isForward = (forwardNames as readonly string[]).includes(file.name);
        if (folderVersion(name) !== null && (isForward || file.name === "down.sql"))
          return { file, layout: "folder-pair", rollback: null, part: isForward ? "forward" : "rollback" };
        const flyway = flywayName(file.name);
        const layout = flyway === null ? null : "flyway";
        return { file, layout, rollback: null, part: flyway?.kind === "U" ? "rollback" : "forward" };
      }),
    ),
  ];
}

/** What a file of the migrations folder itself shows. */
export function signOfFile(file: SourceFile): Sign {
  const forward = (layout: Sign["layout"]): Sign => ({ file, layout, rollback: null, part: "forward" });
  const rollback = (layout: Sign["layout"]): Sign => ({ file, layout, rollback: null, part: "rollback" });
  if (rollbackPrefix.test(file.name)) return { file, layout: "plain", rollback: "prefix", part: "rollback" };
  if (upFile.test(file.name)) return forward("up-down-pair");
  if (downFile.test(file.name)) return rollback("up-down-pair");
  const flyway = flywayName(file.name);
  if (flyway !== null) return flyway.kind === "U" ? rollback("flyway") : forward("flyway");
  if (versionOf(file.name) === null) return forward(null);
  const marked = markedBy(file);
  if (marked !== null) return forward(marked);
  return { file, layout: "plain", rollback: hasSection(file) ? "section" : null, part: "forward" };
}

function markedBy(file: SourceFile): "goose" | "sql-migrate" | "dbmate" | null {
  if (!/\+goose|\+migrate|migrate:/.test(file.text)) return null;
  const lines = toolLines(file.text);
  if (lines.some(isGooseMarker)) return "goose";
  if (lines.some(isSqlMigrateMarker)) return "sql-migrate";
  return lines.some(isDbmateMarker) ? "dbmate" : null;
}

function hasSection(file: SourceFile): boolean {
  if (!/ROLLBACK/i.test(file.text)) return false;
  return commentLines(file.text).some(
    (comment) => comment.startsLine && /^[\s=*#-]*ROLLBACK\s+START\b/i.test(comment.text),
  );
}
