import type { Manifest } from "../../shared/archive/types.ts";
import type { Belay } from "../../shared/context.ts";
import type { Session } from "../../shared/postgres/session.ts";
import type { CheckName, Verdict } from "../types.ts";

/** What a check looks at. The scratch session is in the restored database. */
export interface CheckContext {
  readonly belay: Belay;
  readonly archiveId: string;
  readonly manifest: Manifest;
  readonly scratch: Session;
  readonly scratchUrl: string;
}

/** What a check found. `blame` of a check that did not pass is the verdict that it leads to. */
export interface Finding {
  readonly state: "passed" | "failed" | "skipped" | "unknown";
  readonly evidence: string;
  readonly blame?: Exclude<Verdict, "pass">;
}

export interface Check {
  readonly name: CheckName;
  run(context: CheckContext): Promise<Finding>;
}

export function passed(evidence: string): Finding {
  return { state: "passed", evidence };
}

export function failed(evidence: string, blame: Exclude<Verdict, "pass"> = "backup_bad"): Finding {
  return { state: "failed", evidence, blame };
}

/** Tables whose rows are all in the archive: those of extensions hold rows of their own besides. */
export function wholeTables(manifest: Manifest): Manifest["tables"] {
  return manifest.tables.filter(({ role }) => role !== "configuration");
}

/** `1 table`, `3 tables`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `tables differ (3): a, b, c`, cut after a few names. */
export function naming(what: string, names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return `${what} (${names.length}): ${shown}${names.length > 5 ? ", ..." : ""}`;
}
