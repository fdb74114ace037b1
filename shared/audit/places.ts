import { archiveKey, receiptFile } from "../archive/names.ts";
import type { ObjectStore } from "../store/types.ts";
import type { AuditSource } from "./types.ts";

/**
 * Anchors live under `audit/<system identifier>-<database oid>/<line>/<row id>.json`. A line is one unbroken history;
 * a database that was restored to an earlier moment begins another.
 */
export function sourcePrefix({ systemIdentifier, databaseOid }: Omit<AuditSource, "database">): string {
  return `audit/${systemIdentifier}-${databaseOid}/`;
}

export function linePrefix(source: Omit<AuditSource, "database">, line: number): string {
  return `${sourcePrefix(source)}${String(line).padStart(4, "0")}/`;
}

/** Ids are padded, so that keys sort by them. */
export function anchorKey(prefix: string, id: number): string {
  return `${prefix}${String(id).padStart(20, "0")}.json`;
}

export function prefixOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** Lines of a database in order; empty without any anchor. */
export async function linesOf(store: ObjectStore, source: Omit<AuditSource, "database">): Promise<number[]> {
  const lines: number[] = [];
  for await (const name of store.listFolders(sourcePrefix(source)))
    if (/^\d{4}$/.test(name) && Number(name) > 0) lines.push(Number(name));
  return lines;
}

/** Row ids that are anchored in a line, in order. */
export async function anchoredIds(store: ObjectStore, prefix: string): Promise<number[]> {
  const ids: number[] = [];
  for await (const { key } of store.list(prefix)) {
    const name = /^(\d{20})\.json$/.exec(key.slice(prefix.length));
    if (name !== null && Number.isSafeInteger(Number(name[1]))) ids.push(Number(name[1]));
  }
  return ids;
}

export const receiptsPrefix = "receipts/";

/** A rollback's receipt lies beside the archive that was written for it, or by its own id where there is none. */
export function receiptKey(rollbackId: string, archiveId: string | null): string {
  return archiveId === null ? `${receiptsPrefix}${rollbackId}.json` : archiveKey(archiveId, receiptFile);
}
