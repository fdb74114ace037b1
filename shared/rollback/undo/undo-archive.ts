import { storedManifestSha256 } from "../../archive/manifest-digest.ts";
import { archiveKey, manifestFile } from "../../archive/names.ts";
import { BelayError } from "../../errors.ts";
import type { ObjectStore } from "../../store/types.ts";
import type { ArchiveScope } from "../execute/archive-scope.ts";
import type { FoundRollback } from "./find.ts";
import type { ArchiveFact } from "./undo-facts.ts";

/** Looks whether the archive's objects are there in the sizes that were written; null where there is no archive. */
export async function readArchiveFact(store: ObjectStore, found: FoundRollback): Promise<ArchiveFact> {
  const { archiveId, manifest, verifiedAt, archiveProblem } = found;
  if (archiveId === null) return null;
  const problem = archiveProblem?.message ?? (manifest === null ? null : await missingObjects(store, found));
  return {
    id: archiveId,
    bytes: (manifest?.objects ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
    rows: (manifest?.tables ?? []).reduce((sum, { rows }) => sum + rows, 0),
    takenAt: manifest?.snapshotAt ?? "",
    verifiedAt: verifiedAt?.toISOString() ?? null,
    problem,
  };
}

async function missingObjects(store: ObjectStore, { manifest }: FoundRollback): Promise<string | null> {
  const { id, objects } = manifest!;
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(archiveKey(id, ""))) sizes.set(key, size);
  const wrong = objects.flatMap(({ file, bytes }) => {
    const size = sizes.get(archiveKey(id, file));
    if (size === undefined) return [`${file} is missing`];
    return size === bytes ? [] : [`${file} has ${size} bytes instead of ${bytes}`];
  });
  return wrong.length === 0 ? null : `the archive ${id} is damaged: ${wrong.join("; ")}`;
}

/** Throws `archive_invalid` when the archive is not the one that the record names. */
export async function requireSameManifest(store: ObjectStore, found: FoundRollback): Promise<void> {
  if (found.archiveId === null || found.manifestSha256 === null) return;
  if ((await storedManifestSha256(store, found.archiveId)) === found.manifestSha256) return;
  throw new BelayError("archive_invalid", `${manifestFile} of ${found.archiveId} is not the one on record`, {
    hint: "Somebody changed it since the rollback: compare it with a copy before you trust it.",
    details: { archive: found.archiveId },
  });
}

export function isEmptyScope({ entries, external, tables, columns, sequences }: ArchiveScope): boolean {
  return entries.length + external.length + tables.length + columns.length + sequences.length === 0;
}
