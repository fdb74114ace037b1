import { mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BelayError } from "../../errors.ts";
import { liveRollbackLines } from "../layouts/sections.ts";
import type { SourceFile } from "../layouts/source.ts";
import { isSupabaseFolder, trapsIn } from "../layouts/traps.ts";
import { readTree } from "../read-tree.ts";
import { commentOut } from "./comment-out.ts";
import { replaceFile } from "./replace-file.ts";

export interface FixOptions {
  /** Writes; without it nothing changes. */
  readonly apply?: boolean;
  /** With `apply`: moves files out of the way of `supabase db push` too. */
  readonly move?: boolean;
}

/** A file whose live rollback section is, or would be, commented out. */
export interface FileFix {
  readonly file: string;
  readonly changes: readonly { readonly line: number; readonly before: string; readonly after: string }[];
  readonly applied: boolean;
}

/** A file that the team's tool takes for a migration, and where it may go. */
export interface FileMove {
  readonly from: string;
  readonly to: string;
  readonly applied: boolean;
  /** Why it stays; null when nothing stands in the way. */
  readonly refused: string | null;
}

export interface FixReport {
  readonly directory: string;
  readonly fixes: readonly FileFix[];
  readonly moves: readonly FileMove[];
  /** Live sections that cannot be commented out without changing what is read. */
  readonly refused: readonly { readonly file: string; readonly reason: string }[];
}

/** Comments out live rollback sections of a migrations folder, and shows what else can be mended. Throws `layout_invalid`, `usage`. */
export async function fixFolder(directory: string, options: FixOptions = {}): Promise<FixReport> {
  const folder = await readTree(directory, []);
  if (folder === null)
    throw new BelayError("layout_invalid", `there is no migrations folder ${directory}`, {
      hint: "Pass --migrations DIR.",
    });
  const fixes: FileFix[] = [];
  const refused: { file: string; reason: string }[] = [];
  for (const file of folder.files) {
    const commented = commentOut(file);
    if (commented !== null) {
      if (options.apply === true) await replaceFile(file.path, file.text, commented.text);
      fixes.push({ file: file.path, changes: commented.changes, applied: options.apply === true });
    } else if (liveRollbackLines(file).length > 0)
      refused.push({ file: file.path, reason: "its sections would not read the same: comment it by hand" });
  }
  const traps = isSupabaseFolder(directory) ? trapsIn(folder) : [];
  const moves: FileMove[] = [];
  for (const { file, moveTo, with: others = [] } of traps) {
    const apply = options.apply === true && options.move === true;
    const moved = await move(file, join(directory, moveTo), apply);
    moves.push(moved);
    // A forward file is renamed only together with its rollback.
    for (const other of moved.refused === null ? others : [])
      moves.push(await move(other.file, join(directory, other.moveTo), apply));
  }
  return { directory, fixes, moves, refused };
}

async function move(file: SourceFile, to: string, apply: boolean): Promise<FileMove> {
  const isTaken = await stat(to).then(
    () => true,
    () => false,
  );
  const refused = isTaken ? `${to} is there already` : null;
  if (apply && refused === null) {
    await mkdir(dirname(to), { recursive: true });
    await rename(file.path, to);
  }
  return { from: file.path, to, applied: apply && refused === null, refused };
}
