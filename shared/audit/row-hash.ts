import { createHash } from "node:crypto";
import { stringText, textOf } from "./jsonb-text.ts";

/** What a row's hash covers; `details` and `id` as parseExact gives them, or an integer. */
export interface HashedRow {
  readonly id: unknown;
  readonly occurredAt: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: unknown;
  readonly previousHash: string;
}

/** The hash as belay.append_audit makes it; null for what no row can hold. */
export function rowHash(row: HashedRow): string | null {
  try {
    const texts = [row.occurredAt, row.actor, row.action, row.subject].map(stringText).join(", ");
    const text = `[${textOf(row.id)}, ${texts}, ${textOf(row.details)}, ${stringText(row.previousHash)}]`;
    return createHash("sha256").update(text).digest("hex");
  } catch {
    return null;
  }
}
