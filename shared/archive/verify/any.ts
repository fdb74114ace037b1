import type { Progress } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import { readManifestAt } from "../list.ts";
import { type FoundArchive, findArchive, type OpenOptions, openFound } from "../read/open.ts";
import type { ArchivePlace } from "../read/types.ts";
import { verifyObjects } from "./objects.ts";
import { verifyPlain } from "./plain.ts";
import { verifyStock } from "./stock.ts";
import type { AnyVerification, ArchiveContents } from "./types.ts";

type Report = (progress: Progress) => void;

const nothing: ArchiveContents = { problems: [], notes: [], tables: 0, rows: 0, bytes: 0, largeObjects: 0 };

/**
 * Reads and decodes every byte of any archive, by id or place, believing nothing that it says of itself. What is wrong
 * with it comes as problems; throws only when there is no such archive or the store fails.
 */
export async function verifyAny(
  archiveOrUrl: string,
  options: OpenOptions & { readonly report?: Report } = {},
): Promise<AnyVerification> {
  return await verifyFound(await findArchive(archiveOrUrl, options), options.report);
}

/** As verifyAny, of an archive that was found. */
export async function verifyFound(found: FoundArchive, report?: Report): Promise<AnyVerification> {
  const archive = found.id ?? found.place.url;
  let format: AnyVerification["format"] = found.kind === "own" ? "belay" : null;
  try {
    if (found.kind === "own") return { archive, format, ...(await verifyOwn(found.place, found.id, report)) };
    const opened = await openFound(found);
    format = opened.format;
    const contents = opened.format === "plain" ? await verifyPlain(opened, report) : await verifyStock(opened, report);
    return { archive, format, ...contents };
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    return { archive, format, ...nothing, problems: [error.message], hint: error.hint ?? null };
  }
}

async function verifyOwn(place: ArchivePlace, id: string | null, report: Report | undefined): Promise<ArchiveContents> {
  const manifest = await readManifestAt(place, id);
  const total = manifest.objects.length;
  const problems = await verifyObjects(place, manifest, ({ file }, done) =>
    report?.({ phase: "verify", message: `reading ${file}`, done, total }),
  );
  const { tables, largeObjects } = manifest;
  return {
    problems,
    notes: [],
    tables: tables.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: [...tables.map(({ rawBytes }) => rawBytes), ...largeObjects.map(({ bytes }) => bytes)].reduce(
      (a, b) => a + b,
      0,
    ),
    largeObjects: largeObjects.length,
  };
}
