import type { AuditProblem } from "./types.ts";
import { firstHash } from "./types.ts";

/** One row as the walk sees it; `own`: its hash is the one of its content. */
export interface WalkedRow {
  readonly id: bigint;
  readonly previousHash: string;
  readonly hash: string;
  readonly own: boolean;
}

/** What an anchor, a receipt or a person outside of the database says that a row's hash is. */
export interface Witness {
  readonly id: number;
  readonly hash: string;
  /** `anchored on ... by ...`, for a sentence. */
  readonly said: string;
}

const mostProblems = 20;

/** Collects what is wrong: the first of many, and their number. */
export class Problems {
  readonly listed: AuditProblem[] = [];
  count = 0;

  add(kind: AuditProblem["kind"], id: number | bigint | null, message: string): void {
    this.count += 1;
    if (this.listed.length < mostProblems) this.listed.push({ kind, id: id === null ? null : Number(id), message });
  }
}

/** Walks a chain row by row, lowest id first, with the witnesses of a row right after it. Holds one row. */
export class ChainWalk {
  readonly #problems: Problems;
  readonly #partial: boolean;
  #last: { id: bigint; hash: string } | null = null;
  #first: bigint | null = null;
  #agreed: Witness | null = null;
  #differs: { first: Witness; found: boolean; count: number; since: Witness | null } | null = null;
  rows = 0;
  witnesses = 0;

  /** `partial`: it may begin in the middle, as an export of a part does. */
  constructor(problems: Problems, partial = false) {
    this.#problems = problems;
    this.#partial = partial;
  }

  get head(): { id: number; hash: string } {
    return this.#last === null ? { id: 0, hash: firstHash } : { id: Number(this.#last.id), hash: this.#last.hash };
  }

  get from(): number {
    return Number(this.#first ?? 0n);
  }

  /** The newest witness that agreed. */
  get agreed(): Witness | null {
    return this.#agreed;
  }

  row(row: WalkedRow): void {
    const begins = this.#last === null && this.#partial;
    const before = this.#last ?? { id: 0n, hash: firstHash };
    this.#first ??= row.id;
    this.rows += 1;
    if (!row.own) this.#problems.add("row_changed", row.id, `row ${row.id} was changed`);
    if (row.id < 1n || (this.#last !== null && row.id <= this.#last.id))
      this.#problems.add("row_out_of_place", row.id, `row ${row.id} is out of place`);
    else if (!begins && row.id > before.id + 1n) this.#missing(before.id + 1n, row.id - 1n);
    else if (!begins && row.previousHash !== before.hash)
      this.#problems.add("row_out_of_place", row.id, `row ${row.id} does not follow the row before it`);
    this.#last = { id: row.id, hash: row.hash };
  }

  /** Compares with the row of that id, which is the last one given, or missing. */
  witness(witness: Witness): void {
    this.witnesses += 1;
    const found = this.#last !== null && this.#last.id === BigInt(witness.id);
    if (found && this.#last!.hash === witness.hash) {
      this.#agreed = witness;
      return;
    }
    if (this.#differs === null) this.#differs = { first: witness, found, count: 1, since: this.#agreed };
    else this.#differs.count += 1;
  }

  end(): void {
    if (this.#differs === null) return;
    const { first, found, count, since } = this.#differs;
    const more = count > 1 ? ` ${count - 1} more say otherwise too.` : "";
    const last = this.head.id;
    if (!found && first.id > last)
      this.#problems.add(
        "tail_cut",
        last + 1,
        `the log ends at row ${last}, but row ${first.id} was ${first.said}: rows were cut off, or the database was restored to a moment before that.${more}`,
      );
    else
      this.#problems.add(
        "history_differs",
        first.id,
        `row ${first.id} is ${found ? "not the one that was" : "gone, which was"} ${first.said}: rows after ${since?.id ?? 0} were rewritten, or the database was restored to a moment before that and went on from there.${more}`,
      );
  }

  #missing(from: bigint, to: bigint): void {
    const which = from === to ? `row ${from} is missing` : `rows ${from} to ${to} are missing`;
    this.#problems.add("row_missing", from, which);
  }
}
