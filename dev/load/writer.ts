import { randomFrom } from "../faults/random.ts";
import type { Connection } from "./connection.ts";
import type { Effect } from "./log.ts";

/** Rows of one table that one writer keeps at most. */
const mostRows = 12;

const writtenTables = ["logs", "events", "orders", "parents", "people"];

/** Milliseconds for which a writer leaves a table alone that is gone. */
const awayMs = 50;

export interface Counts {
  committed: number;
  readonly failed: Record<string, number>;
  longestMs: number;
  readonly effects: Effect[];
  readonly unknown: Effect[];
}

interface Transaction {
  readonly sql: string;
  readonly effects: readonly Effect[];
}

export interface WriterPlace {
  readonly connection: Connection;
  /** The connection's number: it has a row of `rates` of its own. */
  readonly place: number;
  /** Chooses what is written. */
  readonly seed: number;
}

/** Writes rows of its own, one transaction after another. */
export function createWriter({ connection, place, seed }: WriterPlace) {
  const random = randomFrom(seed);
  const own = new Map<string, string[]>(writtenTables.map((name) => [name, []]));
  const awayUntil = new Map<string, number>();
  let step = 0;
  const ownRow = (table: string) => random.pick(own.get(table)!);
  const row = (table: string, key: string, values: Effect["values"], drawn = false): Effect => ({
    table,
    key,
    values,
    drawn,
  });

  async function next(table: string): Promise<Transaction> {
    const keys = own.get(table)!;
    const value = String(++step % 1_000_000);
    if (keys.length >= mostRows || (keys.length > 3 && random.chance(0.2))) return remove(table, ownRow(table));
    if (keys.length > 0 && random.chance(0.4)) return change(table, ownRow(table), value);
    return insert(table, await connection.draw(table), value);
  }

  function insert(table: string, id: string, value: string): Transaction {
    if (table === "logs")
      return { sql: `insert into logs values (${id}, '${value}')`, effects: [row(table, id, [value], true)] };
    if (table === "people") {
      const tagged = random.chance(0.5);
      const columns = tagged ? "(id, v, tag)" : "(id, v)";
      const values = tagged ? `${id}, ${value}, 't${value}'` : `${id}, ${value}`;
      return {
        sql: `insert into people ${columns} values (${values})`,
        effects: [row(table, id, [value, tagged ? `t${value}` : null], true)],
      };
    }
    if (table === "events")
      return {
        sql: `insert into events values (${id}, '${value}'); update rates set v = ${value} where id = ${place}`,
        effects: [row(table, id, [value], true), row("rates", String(place), [value])],
      };
    const lines = table === "orders" ? "items" : "children";
    return {
      sql: `insert into ${table} values (${id}, ${value}); insert into ${lines} values (${id}, 1, ${value}), (${id}, 2, ${value})`,
      effects: [row(table, id, [value], true), row(lines, `${id} 1`, [value]), row(lines, `${id} 2`, [value])],
    };
  }

  function change(table: string, id: string, value: string): Transaction {
    if (table === "people") {
      const tag = random.chance(0.5) ? `t${value}` : undefined;
      const set = tag === undefined ? "" : `, tag = '${tag}'`;
      return {
        sql: `update people set v = ${value}${set} where id = ${id}`,
        effects: [row(table, id, [value, tag ?? tagOf(id)])],
      };
    }
    const column = table === "logs" || table === "events" ? `body = '${value}'` : `v = ${value}`;
    const effects = [row(table, id, [value])];
    if (table !== "orders" && table !== "parents")
      return { sql: `update ${table} set ${column} where id = ${id}`, effects };
    const lines = table === "orders" ? "items" : "children";
    return {
      sql: `update ${lines} set v = ${value} where id = ${id} and line = 2; update ${table} set ${column} where id = ${id}`,
      effects: [...effects, row(lines, `${id} 2`, [value])],
    };
  }

  function remove(table: string, id: string): Transaction {
    const lines = table === "orders" ? "items" : table === "parents" ? "children" : null;
    const effects = [
      row(table, id, null),
      ...(lines === null ? [] : [row(lines, `${id} 1`, null), row(lines, `${id} 2`, null)]),
    ];
    return { sql: `delete from ${table} where id = ${id}`, effects };
  }

  const tags = new Map<string, string | null>();
  const tagOf = (id: string) => tags.get(id) ?? null;

  /** After COMMIT was answered. */
  function keep({ effects }: Transaction): void {
    for (const { table, key, values, drawn } of effects) {
      if (table === "people") {
        if (values === null) tags.delete(key);
        else tags.set(key, values[1]!);
      }
      const keys = own.get(table);
      if (keys === undefined) continue;
      if (drawn) keys.push(key);
      else if (values === null) keys.splice(keys.indexOf(key), 1);
    }
  }

  return {
    /** One transaction, noted in `counts`. */
    async write(counts: Counts): Promise<void> {
      const started = performance.now();
      const here = writtenTables.filter((name) => (awayUntil.get(name) ?? 0) <= started);
      const table = random.pick(here);
      const session = connection.session();
      let transaction: Transaction | null = null;
      try {
        transaction = await next(table);
        await session.run(transaction.sql);
        keep(transaction);
        counts.effects.push(...transaction.effects);
        counts.committed++;
      } catch (error) {
        const code = (error as { code?: string }).code ?? "unknown";
        counts.failed[code] = (counts.failed[code] ?? 0) + 1;
        if (!session.alive) {
          counts.unknown.push(...(transaction?.effects ?? []));
          await connection.renew(session);
        } else if (code === "42P01") awayUntil.set(table, performance.now() + awayMs);
      }
      counts.longestMs = Math.max(counts.longestMs, performance.now() - started);
    },
  };
}
