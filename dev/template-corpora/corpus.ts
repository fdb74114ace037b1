import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "../corpora.ts";

/** A published migration, in the order in which its project applied it. */
export interface Published {
  readonly name: string;
  readonly up: string;
  /** How its own tool sends the file: one transaction, statement by statement, or as one simple query. */
  readonly mode: "tx" | "notx" | "raw";
  /** Whether the measured verdict says that its own rollback is missing, fails, or does not lead back. */
  readonly isWrong: boolean;
}

export function readCorpus(folder: string): Published[] {
  const wrong = new Set(["non-inverse", "down-fails", "no-down"]);
  const verdicts = new Map(readTable(join(folder, "verdicts.tsv")).map((row) => [row.migration, row.verdict]));
  return readTable(join(folder, "manifest.tsv")).map((row) => ({
    name: row.migration!,
    up: readFileSync(join(folder, `${row.migration}.up.sql`), "utf8"),
    mode: row.tx_up as Published["mode"],
    isWrong: wrong.has(verdicts.get(row.migration) ?? ""),
  }));
}
