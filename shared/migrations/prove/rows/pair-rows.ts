type Row = readonly (string | null)[];

export interface Paired {
  /** Places of the rows that have no counterpart. */
  readonly gone: ReadonlySet<number>;
  /** Places of the columns in which a value is not what it was; a NULL that was filled is no loss. */
  readonly changed: ReadonlySet<number>;
  readonly rowsChanged: number;
}

/** Above this many unequal rows, only a column that tells them apart pairs them. */
const mostCompared = 300;

/** Finds each row's counterpart: an equal row, else the one with the same key, else the one most alike. */
export function pairRows(earlier: readonly Row[], later: readonly Row[]): Paired {
  const { rest, free } = withoutEqual(earlier, later);
  const changed = new Set<number>();
  const gone = new Set<number>();
  let rowsChanged = 0;
  const counterpart =
    free.length === 0
      ? () => undefined
      : counterpartFinder(
          rest.map((place) => earlier[place]!),
          free,
        );
  for (const place of rest) {
    const row = earlier[place]!;
    const other = counterpart(row);
    if (other === undefined) {
      gone.add(place);
      continue;
    }
    const columns = row.flatMap((value, column) => (value !== null && value !== other[column] ? [column] : []));
    if (columns.length > 0) rowsChanged++;
    for (const column of columns) changed.add(column);
  }
  return { gone, changed, rowsChanged };
}

/** Places of the earlier rows that no later row equals, and the later rows that are left. */
function withoutEqual(earlier: readonly Row[], later: readonly Row[]): { rest: number[]; free: Row[] } {
  const counts = new Map<string, number>();
  for (const row of later) counts.set(JSON.stringify(row), (counts.get(JSON.stringify(row)) ?? 0) + 1);
  const taken = new Map<string, number>();
  const rest = earlier.flatMap((row, place) => {
    const text = JSON.stringify(row);
    const used = taken.get(text) ?? 0;
    if (used >= (counts.get(text) ?? 0)) return [place];
    taken.set(text, used + 1);
    return [];
  });
  const free = later.filter((row) => {
    const text = JSON.stringify(row);
    const left = taken.get(text) ?? 0;
    if (left > 0) taken.set(text, left - 1);
    return left === 0;
  });
  return { rest, free };
}

/** Answers each later row at most once. */
function counterpartFinder(rest: readonly Row[], free: readonly Row[]): (row: Row) => Row | undefined {
  const key = keyPlace(rest, free);
  const byKey = new Map(key === -1 ? [] : free.map((row) => [row[key]!, row]));
  const left = new Set(free);
  return (row) => {
    const same = key === -1 ? undefined : byKey.get(row[key]!);
    const found = same !== undefined && left.has(same) ? same : mostAlike(row, left);
    if (found !== undefined) left.delete(found);
    return found;
  };
}

/** The column that tells all rows apart and has most values in common; -1: there is none. */
function keyPlace(rest: readonly Row[], free: readonly Row[]): number {
  let best = { place: -1, common: 0 };
  for (const place of rest[0]?.keys() ?? []) {
    const values = new Set(free.map((row) => row[place]));
    if (values.size < free.length || new Set(rest.map((row) => row[place])).size < rest.length) continue;
    const common = rest.filter((row) => row[place] !== null && values.has(row[place])).length;
    if (common > best.common) best = { place, common };
  }
  return best.place;
}

/** A row that shares no value is another row, unless it has only one column to compare. */
function mostAlike(row: Row, left: ReadonlySet<Row>): Row | undefined {
  if (left.size > mostCompared) return undefined;
  let best: { other: Row | undefined; alike: number } = { other: undefined, alike: row.length === 1 ? -1 : 0 };
  for (const other of left) {
    const alike = row.filter((value, place) => value !== null && value === other[place]).length;
    if (alike > best.alike) best = { other, alike };
  }
  return best.other;
}
