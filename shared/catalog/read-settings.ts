import type { Session } from "../postgres/session.ts";

/** What makes the server word types, expressions and constants the same each time, as pg_dump sets it. */
const readSettings = {
  search_path: "",
  quote_all_identifiers: "off",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  TimeZone: "UTC",
  bytea_output: "hex",
  // Catalog queries look dear to the planner and are not: compiling them takes a quarter of the time.
  jit: "off",
};

/**
 * Reads in the transaction that the session is in, whose settings it leaves as they were, or in a read-only one of its
 * own.
 */
export async function withReadSettings<T>(session: Session, read: () => Promise<T>): Promise<T> {
  const names = Object.keys(readSettings);
  const values = Object.values(readSettings);
  const apply = (settings: readonly string[]) => session.sql`
    select set_config(name, value, true) from unnest(${names}::text[], ${[...settings]}::text[]) as s (name, value)`;
  // Sent at once, not one by one. Outside a transaction what is set for it lasts no longer than its statement.
  const [before, [probe]] = await Promise.all([
    session.sql<{ name: string; value: string }[]>`
      select name, current_setting(name) as value, set_config('belay.reading', 'on', true)
      from unnest(${names}::text[]) as name`,
    session.sql`select current_setting('belay.reading', true) = 'on' as inside`,
    apply(values),
  ]);
  if (probe!.inside === true) {
    const result = await read();
    // After an error the transaction is aborted, and its settings end with it.
    await apply(names.map((name) => before.find((row) => row.name === name)!.value));
    return result;
  }
  await session.run("begin isolation level repeatable read read only");
  try {
    await apply(values);
    return await read();
  } finally {
    await session.run("rollback");
  }
}
