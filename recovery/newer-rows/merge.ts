/** One row as its table's key and the hash of its values; both text, so that two databases compare alike. */
export interface KeyedRow {
  readonly key: string;
  readonly hash: string;
}

/** What became of a row since the backup: made, changed, or deleted. */
export type Fate = "new" | "changed" | "deleted";

export interface RowChange {
  readonly key: string;
  readonly fate: Fate;
}

/**
 * Compares today's rows with the backup's, both in ascending order of key, holding one row of each. A key that stands
 * several times (a table without a primary key) counts as often as it stands.
 */
export async function* mergeRows(
  today: AsyncIterable<KeyedRow>,
  backup: AsyncIterable<KeyedRow>,
): AsyncGenerator<RowChange> {
  const left = today[Symbol.asyncIterator]();
  const right = backup[Symbol.asyncIterator]();
  try {
    let [now, then] = [await left.next(), await right.next()];
    while (!now.done || !then.done) {
      if (then.done || (!now.done && now.value.key < then.value.key)) {
        yield { key: (now.value as KeyedRow).key, fate: "new" };
        now = await left.next();
      } else if (now.done || now.value.key > then.value.key) {
        yield { key: then.value.key, fate: "deleted" };
        then = await right.next();
      } else {
        if (now.value.hash !== then.value.hash) yield { key: now.value.key, fate: "changed" };
        [now, then] = [await left.next(), await right.next()];
      }
    }
  } finally {
    await Promise.allSettled([left.return?.(), right.return?.()]);
  }
}
