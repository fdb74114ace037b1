/** What a committed transaction did to one row; written down after COMMIT was answered. */
export interface Effect {
  readonly table: string;
  /** The key's values, with a space between. */
  readonly key: string;
  /** Without the key; null: the row was deleted. */
  readonly values: readonly (string | null)[] | null;
  /** The key was drawn from the table's sequence for this row. */
  readonly drawn: boolean;
}

/** The writers' log since their last report. */
export interface WriterReport {
  readonly effects: readonly Effect[];
  /** Of transactions whose COMMIT was not answered. */
  readonly unknown: readonly Effect[];
  readonly committed: number;
  /** By SQLSTATE. */
  readonly failed: Readonly<Record<string, number>>;
  readonly longestMs: number;
}

export type Rows = Map<string, readonly (string | null)[]>;

/** The rows that must exist, by the writers' own word. */
export interface Model {
  readonly rows: ReadonlyMap<string, Rows>;
  /** `table key` of rows that an unanswered COMMIT may have changed. */
  readonly unknown: Set<string>;
  /** What the sequences gave, by table. */
  readonly drawn: ReadonlyMap<string, Drawn>;
}

export interface Drawn {
  readonly keys: Set<string>;
  greatest: bigint;
}

export function startModel(tables: readonly { readonly name: string }[]): Model {
  return {
    rows: new Map(tables.map(({ name }) => [name, new Map()])),
    unknown: new Set(),
    drawn: new Map(tables.map(({ name }) => [name, { keys: new Set(), greatest: 0n }])),
  };
}

/** Takes a report in; answers what a sequence gave twice. */
export function apply(model: Model, { effects, unknown, failed }: WriterReport): string[] {
  const twice: string[] = [];
  for (const { table, key, values, drawn } of effects) {
    const rows = model.rows.get(table)!;
    if (drawn) {
      const known = model.drawn.get(table)!;
      if (known.keys.has(key)) twice.push(`${table} gave ${key} twice`);
      known.keys.add(key);
      if (BigInt(key) > known.greatest) known.greatest = BigInt(key);
    }
    if (values === null) rows.delete(key);
    else rows.set(key, values);
  }
  // Only a number that another row has already violates a primary key here.
  if (failed["23505"] !== undefined) twice.push(`a sequence gave numbers twice: ${failed["23505"]} rows were refused`);
  for (const { table, key } of unknown) model.unknown.add(`${table} ${key}`);
  return twice;
}
