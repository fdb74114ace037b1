import { damaged } from "../format/damage.ts";

/** pg_restore refuses longer ones too (MAXPGPATH). */
const longestName = 1024;

/**
 * A file's name as an archive gives it, checked: relative, within the archive. Throws `archive_invalid` for a name
 * that leads elsewhere; pg_restore itself does not look.
 */
export function checkFileName(name: string, where: string): string {
  const parts = name.split("/");
  const leaves = parts.some((part) => part === "" || part === "." || part === "..");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (leaves || name.length > longestName || /[\0-\x1f\x7f\\]/.test(name))
    throw damaged(
      `${where} names the file ${JSON.stringify(name.slice(0, 80))}, which is not a name within the archive`,
      "The archive is damaged or was made to do harm. Use another one.",
    );
  return name;
}
