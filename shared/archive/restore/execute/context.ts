import type { Progress } from "../../../context.ts";
import type { TocArchive } from "../../read/types.ts";
import type { RestoreState } from "./state.ts";

/** What the stages of a restore share. */
export interface RestoreContext {
  readonly archive: TocArchive;
  readonly state: RestoreState;
  /** dumpIds of what is committed, of a cut-off run too. */
  readonly finished: Set<number>;
  /** The archive's encoding, by its Postgres name. */
  readonly encoding: string;
  readonly majors: { readonly from: number; readonly into: number };
  /** Restores beside other objects: what a wanted table needs may be there. */
  readonly intoNonEmpty: boolean;
  /** Collected for the report. */
  readonly warnings: string[];
  readonly counts: { entries: number; tables: number; rows: number; bytes: number };
  report(progress: Progress): void;
  /** Called as rows' bytes come in. */
  onBytes(count: number): void;
}
