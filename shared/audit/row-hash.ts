import { createHash } from "node:crypto";
import { jsonbText, stringText } from "./jsonb-text.ts";

/** What a row's hash covers; `details` as JSON text. */
export interface HashedRow {
  readonly id: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: string;
  readonly previousHash: string;
}

/** The hash as belay.append_audit makes it; null for what no row can hold. */
export function rowHash(row: HashedRow): string | null {
  try {
    return hashOf(row, jsonbText(row.details));
  } catch {
    return null;
  }
}

/** Whether a hash is the row's. An export has the details as Postgres writes them: that text is tried first. */
export function isRowHash(row: HashedRow, hash: string): boolean {
  try {
    return hashOf(row, row.details) === hash || hashOf(row, jsonbText(row.details)) === hash;
  } catch {
    return false;
  }
}

function hashOf({ id, occurredAt, actor, action, subject, previousHash }: HashedRow, details: string): string {
  const texts = [occurredAt, actor, action, subject].map(stringText).join(", ");
  const text = `[${id}, ${texts}, ${details}, ${stringText(previousHash)}]`;
  return createHash("sha256").update(text).digest("hex");
}
