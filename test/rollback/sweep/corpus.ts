import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "../../../dev/corpora.ts";

/** How the project's own tool sends a file: in one transaction, statement by statement, or as one simple query. */
export type Mode = "tx" | "notx" | "raw";

/** One published migration with its rollback, and what was measured of that rollback without Belay. */
export interface Published {
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly modeUp: Mode;
  readonly verdict: string;
  readonly classes: readonly string[];
}

/** Reads a corpus folder by its manifest.tsv and verdicts.tsv. */
export function readCorpus(folder: string): Published[] {
  const verdicts = new Map(readTable(join(folder, "verdicts.tsv")).map((row) => [row.migration, row]));
  return readTable(join(folder, "manifest.tsv")).map((row) => ({
    name: row.migration!,
    up: readFileSync(join(folder, `${row.migration}.up.sql`), "utf8"),
    down: readFileSync(join(folder, `${row.migration}.down.sql`), "utf8"),
    modeUp: row.tx_up as Mode,
    verdict: verdicts.get(row.migration)?.verdict ?? "unknown",
    classes: (verdicts.get(row.migration)?.classes ?? "").split(",").filter((word) => word !== ""),
  }));
}
