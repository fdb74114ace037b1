import type { RelationAccount } from "./account.ts";

/** What the archive holds, by oid, and what the approved plan names. */
export interface Coverage {
  /** Tables archived whole. */
  readonly tables: ReadonlySet<number>;
  /** Columns archived in side tables. */
  readonly columns: ReadonlyMap<number, ReadonlySet<string>>;
  readonly sequences: ReadonlySet<number>;
  /** Keys of entries whose CREATE text is archived. */
  readonly entries: ReadonlySet<string>;
  /** Keys that the plan destroys or changes. */
  readonly planned: ReadonlySet<string>;
  /** Relations that the plan's own statements name: their rows may change once they are archived. */
  readonly named: ReadonlySet<number>;
  /** Relations that are judged elsewhere. */
  readonly tolerated: ReadonlySet<number>;
  /** Keys of entries that the plan makes; absent where anything may be made. */
  readonly made?: ReadonlySet<string>;
}

/** One thing that the transaction did and that the archive or the plan does not cover. */
export interface Violation {
  readonly subject: string;
  readonly oid: number | null;
  readonly what: string;
  /** True: named by the plan, and covered if the whole table is archived. */
  readonly curable: boolean;
  /** Key of the entry that went or changed; absent where no archive would cover it. */
  readonly key?: string;
}

export interface GuardVerdict {
  readonly violations: readonly Violation[];
  /** Surviving tables whose rows changed and which the archive holds whole. */
  readonly rewritten: readonly RelationAccount[];
}
