import postgres from "postgres";
import { withDatabase } from "../shared/postgres/url.ts";

/** A database to measure with: SQL that fills an empty one, statement by statement. */
export interface BenchDatabase {
  readonly name: string;
  readonly statements: readonly string[];
}

/** Bytes of COPY text that a row of the dominant table takes, about. */
const bytesPerRow = 246;

/** About `megabytes` of COPY text, nearly all in one table with a key, three indexes and a foreign key. */
export function dominantTable(megabytes: number): BenchDatabase {
  const rows = Math.round((megabytes * 1e6) / bytesPerRow);
  return {
    name: `one table of ${megabytes} MB with indexes`,
    statements: [
      "create table customers (id integer primary key, name text not null, mail text unique)",
      "insert into customers select i, 'customer ' || i, 'c' || i || '@example.org' from generate_series(1, 20000) i",
      `create table orders (id bigint generated always as identity, customer_id integer not null, reference uuid not null,
        status text not null, amount numeric(12, 2) not null, placed_at timestamptz not null, note text, lines jsonb not null)`,
      `insert into orders (customer_id, reference, status, amount, placed_at, note, lines)
        select 1 + i::bigint * 7919 % 20000, md5(i::text)::uuid, (array['open', 'paid', 'sent', 'returned'])[1 + i % 4], i % 99991 / 7.0,
          timestamptz '2024-01-01 00:00+00' + i * interval '1 second', md5((i::bigint * 13)::text) || ' order line ' || i % 1000,
          jsonb_build_object('sku', md5((i::bigint * 7)::text), 'quantity', i % 12, 'price', i % 1000)
        from generate_series(1, ${rows}) i`,
      "alter table orders add primary key (id)",
      "create index on orders (customer_id)",
      "create index on orders (placed_at)",
      "create index on orders (reference)",
      "alter table orders add foreign key (customer_id) references customers",
      "vacuum analyze",
    ],
  };
}

/** Many tables of 50 rows, each with a key, a check, an index, a foreign key and a sequence. */
export function smallTables(tables: number): BenchDatabase {
  const create = (at: number) =>
    [
      `create table t${at} (id bigserial primary key, name text not null default 'x', owner bigint, price numeric(12, 2), at timestamptz default now(), check (length(name) > 0))`,
      `insert into t${at} (name, owner, price, at) select 'name ' || i, i, i / 3.0, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour' from generate_series(1, 50) i`,
      `create index on t${at} (name)`,
      ...(at > 0 ? [`alter table t${at} add foreign key (owner) references t0`] : []),
      ...(at % 10 === 0
        ? [
            `create view v${at} as select id, name from t${at}`,
            `comment on table t${at} is 'tenth'`,
            `grant select on t${at} to public`,
          ]
        : []),
    ].join(";\n");
  return {
    name: `${tables} small tables`,
    statements: [...Array.from({ length: tables }, (_, at) => create(at)), "vacuum analyze"],
  };
}

/** Makes and fills a database; returns its URL. */
export async function makeDatabase(server: string, name: string, database: BenchDatabase): Promise<string> {
  const url = await emptyDatabase(server, name);
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const statement of database.statements) await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
  return url;
}

/** Drops the database if it is there and makes it anew, empty. */
export async function emptyDatabase(server: string, name: string): Promise<string> {
  await dropDatabase(server, name);
  await onServer(server, `create database ${name} template template0`);
  return withDatabase(server, name);
}

export function dropDatabase(server: string, name: string): Promise<void> {
  return onServer(server, `drop database if exists ${name} with (force)`);
}

/** Runs one statement on the server's own database, for example CHECKPOINT. */
export async function onServer(server: string, statement: string): Promise<void> {
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end();
  }
}
