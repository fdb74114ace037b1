import { createHash } from "node:crypto";
import { byText } from "../shared/catalog/entry.ts";
import { readSnapshotCatalog, storeSnapshot } from "../shared/catalog/snapshots.ts";
import { startSeries } from "../shared/catalog/states.ts";
import type { Catalog, Entry } from "../shared/catalog/types.ts";
import { installBelay } from "../shared/install.ts";
import { findDependencies } from "../shared/migrations/ledger/found-dependencies.ts";
import { insertDependencies } from "../shared/migrations/ledger/ledger.ts";
import { openSession, type Session } from "../shared/postgres/session.ts";

export interface Migrated {
  /** Names, oldest first. */
  readonly migrations: readonly string[];
  /** Seconds to store all snapshots, and what the snapshots' tables take. */
  readonly storeSeconds: number;
  readonly snapshotMegabytes: number;
}

/**
 * Makes a database of `tables` tables that `migrations` migrations made, each with its SQL, its snapshots and its found
 * dependencies in the ledger. Every migration but the first makes the same number of tables; every table refers to t0.
 */
export async function makeMigrated(url: string, tables: number, migrations: number): Promise<Migrated> {
  const session = await openSession(url);
  try {
    await installBelay(session);
    const each = tables / migrations;
    const texts = Array.from({ length: migrations }, (_, at) => migrationOf(at, at * each, (at + 1) * each));
    for (let at = 0; at < texts.length; at += 50)
      await session.run(
        texts
          .slice(at, at + 50)
          .map(({ up }) => up)
          .join(";\n"),
      );
    await session.run("vacuum analyze");
    await session.run("begin");
    await insertLedger(session, texts);
    const start = performance.now();
    const states = statesOf(await readSnapshotCatalog(session), each, migrations);
    await storeStates(session, texts, states);
    const storeSeconds = (performance.now() - start) / 1_000;
    const known = texts.map(({ name }, at) => ({ name, before: states.at(at), after: states.at(at + 1) }));
    await insertDependencies(session, findDependencies(known.slice(-20)));
    await session.run("commit");
    await session.run("vacuum analyze");
    return { migrations: texts.map(({ name }) => name), storeSeconds, snapshotMegabytes: await snapshotSize(session) };
  } finally {
    await session.close();
  }
}

interface Text {
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** Five columns, a key, a check, an index and a foreign key each; every tenth table has a view, a comment and a grant. */
function migrationOf(at: number, from: number, to: number): Text {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  const up = numbers.map((n) =>
    [
      `create table t${n} (id bigserial primary key, name text not null default 'x', owner bigint, price numeric(12, 2), at timestamptz default now(), check (length(name) > 0))`,
      `create index on t${n} (name)`,
      ...(n > 0 ? [`alter table t${n} add foreign key (owner) references t0`] : []),
      ...(n % 10 === 0
        ? [
            `create view v${n} as select id, name from t${n}`,
            `comment on table t${n} is 'every tenth'`,
            `grant select on t${n} to public`,
          ]
        : []),
    ].join(";\n"),
  );
  const down = [
    ...numbers.filter((n) => n % 10 === 0).map((n) => `drop view v${n};`),
    ...numbers.toReversed().map((n) => `drop table t${n};`),
  ];
  return { name: `${20_250_000_000_000 + at}_tables_${from}`, up: up.join(";\n"), down: down.join("\n") };
}

async function insertLedger(session: Session, texts: readonly Text[]): Promise<void> {
  const rows = texts.map(({ name, up, down }) => ({
    name,
    version: name.split("_")[0],
    up,
    down,
    checksum: createHash("sha256").update(up).digest("hex"),
  }));
  await session.sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (name text, version text, up text, down text, checksum text)
    ), history as (
      insert into belay.migration_history (migration_name, migration_version, rollback_sql, checksum)
      select name, version, down, checksum from given
    )
    insert into belay.migration_revisions (migration_name, revision, forward_sql, rollback_sql, checksum, file_checksum, source_file, layout, created_by)
    select name, 1, up, down, checksum, checksum, name || '.sql', 'section', 'bench' from given`;
}

/** The catalog as it was before each migration, told from the one at the end: what a later table brought is left out. */
function statesOf(end: Catalog, each: number, migrations: number): { at(index: number): Catalog } {
  const firstIn = new Map<Entry, number>();
  for (const entry of end.entries) {
    const number = /\b[tv](\d+)(?:_|\b)/.exec(entry.name)?.[1];
    firstIn.set(entry, number === undefined ? -1 : Math.floor(Number(number) / each));
  }
  const inKeyOrder = end.entries.toSorted((a, b) => byText(a.key, b.key));
  return {
    at(index) {
      if (index === migrations) return end;
      const isThere = (entry: Entry) => firstIn.get(entry)! < index;
      const digest = createHash("sha256");
      for (const entry of inKeyOrder) if (isThere(entry)) digest.update(`${entry.key}\t${entry.hash}\n`);
      return { entries: end.entries.filter(isThere), unknown: end.unknown, digest: digest.digest("hex") };
    },
  };
}

async function storeStates(
  session: Session,
  texts: readonly Text[],
  states: { at(index: number): Catalog },
): Promise<void> {
  const series = startSeries();
  let before = states.at(0);
  for (const [at, { name }] of texts.entries()) {
    const after = states.at(at + 1);
    await storeSnapshot(session, before, { migration: name, moment: "before", origin: "live" }, series);
    await storeSnapshot(session, after, { migration: name, moment: "after", origin: "live" }, series);
    before = after;
  }
}

async function snapshotSize(session: Session): Promise<number> {
  const [row] = await session.sql`
    select sum(pg_total_relation_size(c.oid))::float8 / 1e6 as mb from pg_class c
     where c.relnamespace = 'belay'::regnamespace and c.relkind = 'r'
       and (c.relname like 'snapshot%' or c.relname = 'migration_changes')`;
  return row!.mb as number;
}
