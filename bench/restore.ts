import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import type { RestoreReport } from "../shared/archive/restore/types.ts";
import {
  type BenchDatabase,
  dominantTable,
  dropDatabase,
  emptyDatabase,
  makeDatabase,
  onServer,
  smallTables,
} from "./databases.ts";
import type { Line as BenchLine } from "./line.ts";
import { median, type Run, runMeasured } from "./processes.ts";

/**
 * `belay restore -j2` beside stock `pg_restore -j2` of the same archive, which pg_dump -Fd wrote, into a Debian 15 server
 * with its usual durability (fsync on): pair by pair, each in a process of its own, the order alternating; medians.
 * Both leave ANALYZE out, which pg_restore does not do.
 *
 *   npm run bench -- restore [--json] [--pairs 3] [--mb 2500] [--tables 2000] [--only dominant|small]
 */
interface Line extends BenchLine<"restore", "s"> {
  readonly mb_per_s: number;
  readonly peer_mb_per_s: number;
  /** Median seconds of each of our phases. */
  readonly phases: Readonly<Record<string, number>>;
}

const pairs = option("--pairs", 3);
const megabytes = option("--mb", 2_500);
const tables = option("--tables", 2_000);
const jobs = 2;

async function main(): Promise<void> {
  const debian = debianPrograms();
  if (debian === null)
    throw new Error("Debian's postgresql-15 is not installed: there is no pg_restore to compare with");
  const server = await startPostgres({ programs: installedPrograms(debian), fsync: true });
  const cases = { dominant: dominantTable(megabytes), small: smallTables(tables) };
  const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
  for (const [name, database] of Object.entries(cases)) {
    if (only !== undefined && only !== name) continue;
    const line = await compare(debian, server.url, database);
    if (process.argv.includes("--json")) console.log(JSON.stringify(line));
    else console.table([{ ...line, phases: JSON.stringify(line.phases) }]);
  }
}

async function compare(debian: string, server: string, database: BenchDatabase): Promise<Line> {
  const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
  try {
    chmodSync(folder, 0o755);
    const source = await makeDatabase(server, "bench_source", database);
    const archive = join(folder, "archive");
    const { place, env } = withoutPassword(source);
    await runMeasured(join(debian, "pg_dump"), ["-Fd", "-j2", "-f", archive, "-d", place], env);
    await dropDatabase(server, "bench_source");
    const ours: Measured[] = [];
    const peer: Run[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const first = async () => ours.push(await restoreOurs(server, archive));
      const second = async () => peer.push(await restorePeer(debian, server, archive));
      for (const run of pair % 2 === 0 ? [first, second] : [second, first]) await run();
    }
    return lineOf(database, ours, peer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Measured extends Run {
  readonly report: RestoreReport;
}

async function restoreOurs(server: string, archive: string): Promise<Measured> {
  const url = await fresh(server);
  const cli = join(import.meta.dirname, "../cli/belay.js");
  const words = [
    "restore",
    pathToFileURL(archive).href,
    "--into",
    url,
    "--jobs",
    String(jobs),
    "--no-analyze",
    "--json",
  ];
  const run = await runMeasured(process.execPath, [cli, ...words]);
  return { ...run, report: JSON.parse(run.stdout) as RestoreReport };
}

async function restorePeer(debian: string, server: string, archive: string): Promise<Run> {
  const { place, env } = withoutPassword(await fresh(server));
  return runMeasured(join(debian, "pg_restore"), [`-j${jobs}`, "--exit-on-error", `--dbname=${place}`, archive], env);
}

/** An empty database, with what other runs left for the server to write written. */
async function fresh(server: string): Promise<string> {
  const url = await emptyDatabase(server, "bench_target");
  await onServer(server, "checkpoint");
  return url;
}

function lineOf(database: BenchDatabase, ours: readonly Measured[], peer: readonly Run[]): Line {
  const [us, them] = [median(ours.map(({ seconds }) => seconds)), median(peer.map(({ seconds }) => seconds))];
  const raw = ours[0]!.report.bytes / 1e6;
  const peak = (runs: readonly Run[]) => Math.round(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)) / 1e6);
  const names = ours[0]!.report.phases.map(({ name }) => name);
  const phase = (name: string) =>
    median(ours.map(({ report }) => report.phases.find((one) => one.name === name)?.milliseconds ?? 0)) / 1000;
  return {
    bench: "restore",
    case: `${database.name}, -j${jobs}`,
    ours: round(us),
    peer: round(them),
    unit: "s",
    ratio: round(us / them),
    peak_rss_mb: peak(ours),
    peer_peak_rss_mb: peak(peer),
    mb_per_s: round(raw / us),
    peer_mb_per_s: round(raw / them),
    phases: Object.fromEntries(names.map((name) => [name, round(phase(name))])),
  };
}

function withoutPassword(url: string): { place: string; env: NodeJS.ProcessEnv } {
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { place: parsed.href, env: { PGPASSWORD: password } };
}

function option(name: string, usual: number): number {
  const at = process.argv.indexOf(name);
  return at === -1 ? usual : Number(process.argv[at + 1]) || usual;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

try {
  await main();
} finally {
  await stopAll();
}
