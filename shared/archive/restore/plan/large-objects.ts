import { quoteIdent } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import type { TocEntry } from "../../format/toc.ts";

/** OIDs of a BLOB METADATA entry, whose definition is a list of them (archive format, section 5). */
export function largeObjectIds(entry: TocEntry): string[] {
  const ids = (entry.defn ?? "").split("\n").filter((line) => line !== "");
  const wrong = ids.find((id) => !/^\d{1,10}$/.test(id));
  if (wrong !== undefined)
    throw new BelayError("archive_invalid", `the large objects ${entry.tag} are not a list of numbers`, {
      hint: "The archive's table of contents is damaged. Use another archive.",
    });
  return ids;
}

/** Makes the large objects of a group, empty, for their owner. */
export function makeLargeObjects(entry: TocEntry, owner: string | null): string {
  const lines = largeObjectIds(entry).map((id) => {
    const make = `SELECT pg_catalog.lo_create('${id}');`;
    return owner === null ? make : `${make}\nALTER LARGE OBJECT ${id} OWNER TO ${quoteIdent(owner)};`;
  });
  return lines.join("\n");
}

/** Grants on a group are written for its first object alone: the same for each. */
export function grantsOfGroup(sql: string, ids: readonly string[]): string {
  return ids.map((id) => sql.replaceAll(/(\sON LARGE OBJECT )\d+/g, `$1${id}`)).join("\n");
}
