import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";
import { catalogDigest } from "./entry.ts";
import { creationOrder } from "./order.ts";
import { readPart } from "./read-part.ts";
import { readWhole } from "./read-whole.ts";
import type { Catalog, CatalogScope } from "./types.ts";

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
 * Reads every object of the database as pg_dump would write it, in an order in which all can be created.
 * Inside a transaction it reads that transaction's view and leaves its settings as they were; outside it opens a
 * read-only one. What it cannot write is named in `unknown`, never left out silently.
 */
export async function readCatalog(session: Session, scope: CatalogScope = {}): Promise<Catalog> {
  try {
    return await withReadSettings(session, () => readAll(session, scope));
  } catch (error) {
    throw databaseError(error, { doing: "reading the catalog" });
  }
}

async function readAll(session: Session, scope: CatalogScope): Promise<Catalog> {
  const { entries, unknown } = await (scope.only === undefined
    ? readWhole(session, scope)
    : readPart(session, scope, { objects: scope.only, exact: false }));
  const bare = entries.map(({ entry }) => entry);
  return { entries: creationOrder(bare), unknown, digest: catalogDigest(bare) };
}

async function withReadSettings<T>(session: Session, read: () => Promise<T>): Promise<T> {
  const names = Object.keys(readSettings);
  const values = Object.values(readSettings);
  const before = await session.sql<{ name: string; value: string }[]>`
    select name, current_setting(name) as value, set_config('belay.reading', 'on', true)
    from unnest(${names}::text[]) as name`;
  const [probe] = await session.sql`select current_setting('belay.reading', true) = 'on' as inside`;
  const apply = (settings: readonly string[]) => session.sql`
    select set_config(name, value, true) from unnest(${names}::text[], ${[...settings]}::text[]) as s (name, value)`;
  if (probe!.inside === true) {
    await apply(values);
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
