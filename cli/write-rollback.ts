import { readdir, rm } from "node:fs/promises";
import { BelayError } from "../shared/errors.ts";
import { findInFolder } from "../shared/migrations/ledger/register.ts";
import { readMigrationFolder } from "../shared/migrations/read-folder.ts";
import { rollbackPlace } from "../shared/migrations/template/place.ts";
import type { TemplateProposal } from "../shared/migrations/template/propose.ts";
import type { LayoutName, MigrationFolder } from "../shared/migrations/types.ts";
import { isBlankSql } from "../shared/sql/blank.ts";
import { parseSql } from "../shared/sql/parse.ts";
import { readIfThere, writeWhole } from "./write-file.ts";

/** What became of a proposal that was to be written. */
export interface WrittenRollback {
  readonly migration: string;
  /** `exists`: other rollback SQL stands there, and was left; `old` and `next` say how they differ. */
  readonly state: "written" | "unchanged" | "exists";
  readonly file: string;
  readonly old: string | null;
  readonly next: string;
}

/**
 * Puts a proposal into the migration's place for rollback SQL, then reads the folder again and checks that it is found
 * there as proposed; else the file is put back. Throws `usage`, `layout_invalid`.
 */
export async function writeRollback(
  folder: MigrationFolder,
  proposal: TemplateProposal,
  options: { readonly force: boolean; readonly now: Date; readonly layout: LayoutName | undefined },
): Promise<WrittenRollback> {
  const migration = findInFolder(folder, proposal.migration);
  const folders = (await readdir(folder.directory, { withFileTypes: true })).filter((one) => one.isDirectory());
  const names = folders.map(({ name }) => name);
  const place = rollbackPlace(folder, migration, proposal.body!, { folders: names, now: options.now });
  const old = await readIfThere(place.file);
  const next = place.write(old);
  const result = { migration: migration.name, file: place.file, old, next };
  if (next === old) return { ...result, state: "unchanged" };
  const isTaken = migration.rollback !== null || (!place.isPart && old !== null && !isBlankSql(old));
  if (isTaken && !options.force) return { ...result, state: "exists" };
  await writeWhole(place.file, next);
  const wrong = await whatIsWrong(folder, proposal, options.layout);
  if (wrong === null) return { ...result, state: "written" };
  await (old === null ? rm(place.file) : writeWhole(place.file, old));
  throw new BelayError("layout_invalid", `${place.file} was written, ${wrong}, and was put back`, {
    hint: "Paste the SQL by hand, or name the layout: --layout.",
    details: { migration: migration.name, file: place.file },
  });
}

async function whatIsWrong(
  { directory, problems }: MigrationFolder,
  { migration, statements }: TemplateProposal,
  layout: LayoutName | undefined,
): Promise<string | null> {
  const again = await readMigrationFolder(directory, layout);
  const before = new Set(problems.map(({ code, message }) => `${code} ${message}`));
  const fresh = again.problems.find((one) => one.severity === "error" && !before.has(`${one.code} ${one.message}`));
  if (fresh !== undefined) return `made the folder wrong (${fresh.message})`;
  const found = again.migrations.find(({ name }) => name === migration);
  if (found?.rollback == null) return "is not found there as its rollback";
  const texts = (sql: string) =>
    parseSql(sql, { file: migration, line: 1 }).map(({ text }) => text.replaceAll("\r\n", "\n"));
  const wanted = texts(statements.map((sql) => `${sql};`).join("\n"));
  return texts(found.rollback.sql).join(";\n") === wanted.join(";\n") ? null : "does not read as it was written";
}
