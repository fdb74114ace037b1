import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrationOf } from "../dev/migration-of.ts";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import { installBelay } from "../shared/install.ts";
import { insertMigration } from "../shared/migrations/ledger/ledger.ts";
import { openSession } from "../shared/postgres/session.ts";
import { withDatabase } from "../shared/postgres/url.ts";
import { dropDatabase, onServer } from "./databases.ts";
import type { Line as BenchLine } from "./line.ts";
import type { Answer } from "./lock-time-program.ts";
import type { Written } from "./lock-time-writer.ts";
import { runMeasured } from "./processes.ts";

/**
 * How long a writer that inserts without pause is kept waiting while the table it writes to is rolled back: by Belay with an
 * archive, by Belay with quarantine, and by hand: pg_dump of the table and then psql, in which the rows written between both
 * are lost, or with the table locked for as long. Ratio: Belay's longest wait by that of the careful hand.
 *
 *   npm run bench -- lock-time [--json] [--mb 1] [--pairs 3]
 */
interface Line extends BenchLine<"lock-time", "ms"> {
  /** Rows whose INSERT was answered and that are neither in the table nor in the archive or dump. */
  readonly lost_rows: number;
  /** From the SQL's first lock to COMMIT; only Belay tells. */
  readonly critical_section_ms: number | null;
}

interface Measured {
  readonly waitMs: number;
  readonly lost: number;
  readonly peakRss: number;
  readonly sectionMs: number | null;
}

const megabytes = option("--mb", 1);
const pairs = option("--pairs", megabytes > 100 ? 1 : 3);
const json = process.argv.includes("--json");
const bytesPerRow = 250;
const migration = "20250102000000_orders";
const down = "drop table orders;";

async function main(): Promise<void> {
  const programs = debianPrograms();
  const server = await startPostgres(programs === null ? {} : { programs: installedPrograms(programs) });
  const template = await makeTemplate(server.url);
  const run = async (name: string, work: (url: string, folder: string) => Promise<Measured>) => {
    const measured = await measure(server.url, template, work);
    // With gigabytes each takes minutes.
    console.error(`${name}: ${Math.round(measured.waitMs)} ms`);
    return measured;
  };
  const archive = await run("belay, archive", (url, folder) => byBelay(url, folder, "archive"));
  const quarantine = await run("belay, quarantine", (url, folder) => byBelay(url, folder, "quarantine"));
  const careful =
    programs === null ? null : await run("by hand, locked", (url, folder) => byHand(programs, url, folder, true));
  const hasty =
    programs === null ? null : await run("by hand, not locked", (url, folder) => byHand(programs, url, folder, false));
  const lines = [
    line("belay, archive", archive, careful),
    line("belay, quarantine", quarantine, careful),
    ...(hasty === null ? [] : [line("by hand: pg_dump, then psql, no lock", hasty, careful)]),
  ];
  if (json) for (const each of lines) console.log(JSON.stringify(each));
  else console.table(lines.map(({ bench: _, ...each }) => each));
}

function line(name: string, ours: Measured, peer: Measured | null): Line {
  return {
    bench: "lock-time",
    case: `${name}, ${megabytes} MB`,
    ours: Math.round(ours.waitMs),
    peer: peer === null ? null : Math.round(peer.waitMs),
    unit: "ms",
    ratio: peer === null ? null : Math.round((ours.waitMs / peer.waitMs) * 100) / 100,
    peak_rss_mb: Math.round(ours.peakRss / 1e6),
    peer_peak_rss_mb: peer === null ? null : Math.round(peer.peakRss / 1e6),
    lost_rows: ours.lost,
    critical_section_ms: ours.sectionMs,
  };
}

/** The worst of several runs, each in a copy of the template. */
async function measure(server: string, template: string, work: (url: string, folder: string) => Promise<Measured>) {
  const runs: Measured[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
    await onServer(server, `create database bench_lock_time template ${template}`);
    await onServer(server, "checkpoint");
    try {
      runs.push(await work(withDatabase(server, "bench_lock_time"), folder));
    } finally {
      await dropDatabase(server, "bench_lock_time");
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return runs.reduce((worst, one) => (one.waitMs > worst.waitMs ? one : worst));
}

async function makeTemplate(server: string): Promise<string> {
  await onServer(server, "create database bench_lock_template template template0");
  const session = await openSession(withDatabase(server, "bench_lock_template"));
  const up = `create table orders (id bigint generated always as identity primary key, reference uuid not null, status text not null,
      placed_at timestamptz not null default now(), note text not null)`;
  await installBelay(session);
  await session.run(up);
  await insertMigration(session, migrationOf({ name: migration, up, down }), { actor: "bench", status: "applied" });
  await session.run(`insert into orders (reference, status, note)
    select md5(i::text)::uuid, 'open', md5(i::text) || md5((i * 3)::text) || md5((i * 7)::text) || md5((i * 11)::text)
    || md5((i * 13)::text) || ' order ' || i from generate_series(1, ${Math.round((megabytes * 1e6) / bytesPerRow)}) i`);
  await session.run("create index on orders (placed_at)");
  await session.run("vacuum analyze orders");
  await session.close();
  return "bench_lock_template";
}

async function byBelay(url: string, folder: string, preserve: "archive" | "quarantine"): Promise<Measured> {
  const writer = await startWriter(url);
  // As cli/belay.js sets them.
  const child = fork(join(import.meta.dirname, "lock-time-program.ts"), [url, folder, migration, preserve], {
    execArgv: ["--max-semi-space-size=8", "--heap-growing-percent=50", "--liftoff-only"],
  });
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the program that rolls back ended with ${code}`);
    }),
  ])) as [Answer];
  child.disconnect();
  const written = await writer.end();
  const kept = answer.keptRows;
  return {
    waitMs: written.longestMs,
    lost: written.inserted + rowsBefore() - kept,
    peakRss: answer.peakRss,
    sectionMs: answer.report.criticalSectionMs,
  };
}

/** `locks`: as somebody does who knows that rows written between dump and drop are lost. */
async function byHand(programs: string, url: string, folder: string, locks: boolean): Promise<Measured> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const snapshot = postgres(url, { max: 1, onnotice: () => {} });
  const writer = await startWriter(url);
  try {
    if (locks) await sql.unsafe("begin; lock table orders in share row exclusive mode");
    await snapshot.unsafe("begin isolation level repeatable read");
    const [at] = await snapshot.unsafe("select pg_export_snapshot() as name, count(*)::int as rows from orders");
    const place = new URL(url);
    const password = decodeURIComponent(place.password);
    place.password = "";
    const dump = await runMeasured(
      join(programs, "pg_dump"),
      ["-Fc", "-t", "public.orders", `--snapshot=${at!.name}`, "-f", join(folder, "orders.dump"), "-d", place.href],
      { PGPASSWORD: password },
    );
    await snapshot.unsafe("rollback");
    if (locks) await sql.unsafe(`${down} commit`);
    else
      await runMeasured(join(programs, "psql"), ["-X", "-q", "-c", down, "-d", place.href], { PGPASSWORD: password });
    const written = await writer.end();
    const lost = written.inserted + rowsBefore() - at!.rows;
    return { waitMs: written.longestMs, lost, peakRss: dump.peakRssBytes, sectionMs: null };
  } finally {
    await Promise.all([sql.end(), snapshot.end()]);
  }
}

function rowsBefore(): number {
  return Math.round((megabytes * 1e6) / bytesPerRow);
}

/** Another process, so that what we do keeps it from nothing but the locks. */
async function startWriter(url: string): Promise<{ end(): Promise<Written> }> {
  const child = fork(join(import.meta.dirname, "lock-time-writer.ts"), [url]);
  await once(child, "message");
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    end: async () => {
      const answered = once(child, "message");
      child.send("end");
      const [written] = await answered;
      child.disconnect();
      return written as Written;
    },
  };
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

try {
  await main();
} finally {
  await stopAll();
}
