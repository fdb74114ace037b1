import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import { emptyDatabase } from "./databases.ts";
import type { Line as BenchLine } from "./line.ts";
import { makeMigrated } from "./migrated.ts";
import type { Answer } from "./plan-program.ts";
import { median, runMeasured } from "./processes.ts";

/**
 * Planning one rollback in a database of 2,000 tables with 1,000 migrations and their snapshots in the ledger,
 * connecting included, against stock `pg_dump -s` of that database, pair by pair; medians. A second line lists the ledger.
 *
 *   npm run bench -- plan [--json] [--pairs 11] [--tables 2000] [--migrations 1000]
 */
type Line = BenchLine<"plan", "ms">;

const pairs = option("--pairs", 11);
const tables = option("--tables", 2_000);
const migrations = option("--migrations", 1_000);
const json = process.argv.includes("--json");

async function main(): Promise<void> {
  const debian = debianPrograms();
  const url = await database(debian);
  const made = await makeMigrated(url, tables, migrations);
  if (!json)
    console.log(
      `${made.snapshotMegabytes.toFixed(0)} MB hold the snapshots of ${migrations} migrations, stored in ${made.storeSeconds.toFixed(1)} s`,
    );
  const newest = made.migrations.at(-1)!;
  const middle = made.migrations[Math.floor(migrations / 2)]!;
  const lines = [
    await measure("plan of the newest migration", debian, url, newest),
    await measure("plan of one in the middle", debian, url, middle),
    await measure("list", debian, url, null),
  ];
  if (json) for (const line of lines) console.log(JSON.stringify(line));
  else console.table(lines.map(({ bench: _, ...line }) => line));
}

async function database(debian: string | null): Promise<string> {
  const server = await startPostgres(debian === null ? {} : { programs: installedPrograms(debian) });
  return emptyDatabase(server.url, "bench_plan");
}

/** In a process of its own, for its memory; `migration` null: lists the ledger. */
async function measure(name: string, debian: string | null, url: string, migration: string | null): Promise<Line> {
  const ours: number[] = [];
  const peers: number[] = [];
  let peerPeak = 0;
  const program = startProgram(url, migration);
  await program.ask();
  for (let pair = 0; pair < pairs; pair++) {
    ours.push((await program.ask()).ms);
    if (debian === null) continue;
    const run = await dump(debian, url);
    peers.push(run.seconds * 1_000);
    peerPeak = Math.max(peerPeak, run.peakRssBytes);
  }
  const { peakRss } = await program.ask();
  program.end();
  const known = peers.length > 0;
  return {
    bench: "plan",
    case: `${name}, ${tables} tables, ${migrations} migrations`,
    ours: round(median(ours)),
    peer: known ? round(median(peers)) : null,
    unit: "ms",
    ratio: known ? round(median(ours.map((one, at) => one / peers[at]!))) : null,
    peak_rss_mb: Math.round(peakRss / 1e6),
    peer_peak_rss_mb: known ? Math.round(peerPeak / 1e6) : null,
  };
}

/** As cli/belay.js sets them. */
const flags = ["--max-semi-space-size=8", "--heap-growing-percent=50", "--liftoff-only"];

function startProgram(url: string, migration: string | null) {
  const child = fork(join(import.meta.dirname, "plan-program.ts"), [url, migration ?? ""], { execArgv: flags });
  return {
    async ask(): Promise<Answer> {
      const answered = once(child, "message");
      const ended = once(child, "exit").then(([code]) => {
        throw new Error(`the program that plans ended with ${code}`);
      });
      ended.catch(() => {});
      child.send("once more");
      return (await Promise.race([answered, ended]))[0] as Answer;
    },
    end: () => child.disconnect(),
  };
}

function dump(programs: string, database: string) {
  const url = new URL(database);
  const password = decodeURIComponent(url.password);
  url.password = "";
  return runMeasured(join(programs, "pg_dump"), ["-s", "-f", "/dev/null", "-d", url.href], { PGPASSWORD: password });
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const round = (value: number) => Math.round(value * 100) / 100;

try {
  await main();
} finally {
  await stopAll();
}
