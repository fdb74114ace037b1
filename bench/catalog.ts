import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import { readCatalog } from "../shared/catalog/read.ts";
import { openSession } from "../shared/postgres/session.ts";
import type { Line as BenchLine } from "./line.ts";

/**
 * Reading a whole catalog on a fresh session, connecting included, against stock `pg_dump -s` of the same database,
 * pair by pair; the median of each. `ours` includes dependencies, hashes and the order of creation.
 *
 *   node bench/catalog.ts [--json] [--pairs 11]
 */
interface Case {
  readonly name: string;
  readonly sql: string;
}

type Line = BenchLine<"catalog", "ms">;

const pairs = Number(process.argv[process.argv.indexOf("--pairs") + 1] ?? Number.NaN) || 11;

async function main(): Promise<void> {
  const debian = debianPrograms();
  const server = await startPostgres(debian === null ? {} : { programs: installedPrograms(debian) });
  const lines: Line[] = [];
  for (const [index, one] of cases().entries()) {
    const url = await load(server.url, `bench_catalog_${index}`, one.sql);
    const ours: number[] = [];
    const peer: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      ours.push(await time(() => readOnce(url)));
      if (debian !== null) peer.push(await time(() => dumpOnce(debian, url)));
    }
    const [us, them] = [median(ours), peer.length === 0 ? null : median(peer)];
    lines.push({
      bench: "catalog",
      case: one.name,
      ours: round(us),
      peer: them === null ? null : round(them),
      unit: "ms",
      ratio: them === null ? null : round(us / them),
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1000),
      peer_peak_rss_mb: null,
    });
  }
  if (process.argv.includes("--json")) for (const line of lines) console.log(JSON.stringify(line));
  else console.table(lines.map(({ bench: _, peer_peak_rss_mb: __, ...line }) => line));
}

function cases(): Case[] {
  const example = join(import.meta.dirname, "../examples/shop/supabase/migrations");
  const published = join(import.meta.dirname, "../../shared/corpora/kratos");
  const made = [200, 2_000].map((tables) => ({ name: `${tables} tables made for this`, sql: manyTables(tables) }));
  const kratos = existsSync(published)
    ? [{ name: "kratos, a published schema", sql: joined(published, ".up.sql") }]
    : [];
  return [{ name: "the example shop", sql: joined(example, ".sql") }, ...kratos, ...made];
}

/** Everything runs as one transaction here, where no index is built concurrently. */
function joined(folder: string, ending: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith(ending));
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n;\n")
    .replace(/\bconcurrently\b/gi, "");
}

/** Five columns, a key, a check, an index and a foreign key each; every tenth has a view, a comment and a grant. */
function manyTables(count: number): string {
  const tables = Array.from({ length: count }, (_, at) => {
    const parts = [
      `create table t${at} (id bigserial primary key, name text not null default 'x', owner bigint, price numeric(12, 2), at timestamptz default now(), check (length(name) > 0))`,
      `create index on t${at} (name)`,
    ];
    if (at > 0) parts.push(`alter table t${at} add foreign key (owner) references t0`);
    if (at % 10 === 0)
      parts.push(
        `create view v${at} as select id, name from t${at}`,
        `comment on table t${at} is 'every tenth'`,
        `grant select on t${at} to public`,
      );
    return parts.join(";\n");
  });
  return tables.join(";\n");
}

async function load(server: string, name: string, sql: string): Promise<string> {
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name}`);
  await admin.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  const target = postgres(url.href, { max: 1, onnotice: () => {} });
  await target.unsafe(sql);
  await target.unsafe("vacuum analyze");
  await target.end();
  return url.href;
}

async function readOnce(url: string): Promise<void> {
  const session = await openSession(url);
  try {
    await readCatalog(session);
  } finally {
    await session.close();
  }
}

function dumpOnce(programs: string, database: string): void {
  const url = new URL(database);
  const password = decodeURIComponent(url.password);
  url.password = "";
  execFileSync(join(programs, "pg_dump"), ["-s", "-f", "/dev/null", "-d", url.href], { env: { PGPASSWORD: password } });
}

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const round = (value: number) => Math.round(value * 100) / 100;

try {
  await main();
} finally {
  await stopAll();
}
