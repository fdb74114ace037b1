import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startS3 } from "../dev/s3.ts";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import type { Manifest } from "../shared/archive/types.ts";
import { type BenchDatabase, dominantTable, dropDatabase, makeDatabase, onServer, smallTables } from "./databases.ts";
import { measureSteps, type Step } from "./dump-steps.ts";
import type { Line as BenchLine } from "./line.ts";
import { median, type Run, runMeasured } from "./processes.ts";

/**
 * `belay dump` beside stock `pg_dump -Fd -j2` at the same compression (gzip -6), from a Debian 15 server: pair by pair,
 * each in a process of its own, the order alternating; medians. Belay's time includes the digest of every table and
 * reading every byte back and decoding it; pg_dump's does not. To a folder; with `--s3` to an S3 server on this machine
 * too (in this process), with `--s3-url URL` to that one (credentials in the usual AWS variables).
 *
 *   npm run bench -- dump [--json] [--pairs 3] [--mb 2500] [--tables 2000] [--only dominant|small] [--s3 | --s3-url URL]
 */
interface Line extends BenchLine<"dump", "s"> {
  readonly mb_per_s: number;
  readonly peer_mb_per_s: number;
  readonly stored_mb: number;
  readonly peer_stored_mb: number;
}

const pairs = option("--pairs", 3);
const megabytes = option("--mb", 2_500);
const tables = option("--tables", 2_000);
const json = process.argv.includes("--json");

/** Where ours goes: a store's URL and what the environment must say for it. */
interface Target {
  readonly name: string;
  readonly store: (folder: string) => string;
  readonly env: NodeJS.ProcessEnv;
}

async function main(): Promise<void> {
  const debian = debianPrograms();
  if (debian === null) throw new Error("Debian's postgresql-15 is not installed: there is no pg_dump to compare with");
  const server = await startPostgres({ programs: installedPrograms(debian), fsync: true });
  const cases = { dominant: dominantTable(megabytes), small: smallTables(tables) };
  const only = word("--only");
  const targets = await targetsAsked();
  for (const [name, database] of Object.entries(cases)) {
    if (only !== undefined && only !== name) continue;
    const url = await makeDatabase(server.url, "bench_dump", database);
    await onServer(server.url, "checkpoint");
    for (const target of targets) print(await compare(debian, url, database, target));
    if (name === "dominant") printSteps(await measureSteps(url, "public", "orders"));
    await dropDatabase(server.url, "bench_dump");
  }
}

async function targetsAsked(): Promise<Target[]> {
  const targets: Target[] = [
    { name: "a folder", store: (folder) => pathToFileURL(join(folder, "ours")).href, env: {} },
  ];
  const url = word("--s3-url");
  if (url !== undefined) targets.push({ name: "S3", store: () => url, env: {} });
  if (process.argv.includes("--s3")) {
    const s3 = await startS3();
    const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    targets.push({ name: "S3 in the bench's own process", store: () => s3.storeUrl("bench"), env });
  }
  return targets;
}

async function compare(debian: string, url: string, database: BenchDatabase, target: Target): Promise<Line> {
  const ours: (Run & { readonly manifest: Manifest })[] = [];
  const peer: (Run & { readonly stored: number })[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = async () => ours.push(await inFolder((folder) => dumpOurs(url, target.store(folder), target.env)));
    const second = async () => peer.push(await inFolder((folder) => dumpPeer(debian, url, join(folder, "peer"))));
    for (const run of pair % 2 === 0 ? [first, second] : [second, first]) await run();
  }
  const manifest = ours[0]!.manifest;
  const raw = sum(manifest.tables.map(({ rawBytes }) => rawBytes)) / 1e6;
  const [us, them] = [median(ours.map(({ seconds }) => seconds)), median(peer.map(({ seconds }) => seconds))];
  const peak = (runs: readonly Run[]) => Math.round(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)) / 1e6);
  return {
    bench: "dump",
    case: `${database.name}, to ${target.name}`,
    ours: round(us),
    peer: round(them),
    unit: "s",
    ratio: round(median(ours.map(({ seconds }, pair) => seconds / peer[pair]!.seconds))),
    peak_rss_mb: peak(ours),
    peer_peak_rss_mb: peak(peer),
    mb_per_s: round(raw / us),
    peer_mb_per_s: round(raw / them),
    stored_mb: round(sum(manifest.objects.map(({ bytes }) => bytes)) / 1e6),
    peer_stored_mb: round(peer[0]!.stored / 1e6),
  };
}

async function dumpOurs(url: string, store: string, env: NodeJS.ProcessEnv) {
  const cli = join(import.meta.dirname, "../cli/belay.js");
  const words = ["dump", "--database", url, "--store", store, "--json"];
  const run = await runMeasured(process.execPath, [cli, ...words], env);
  return { ...run, manifest: JSON.parse(run.stdout) as Manifest };
}

async function dumpPeer(debian: string, url: string, folder: string) {
  const place = new URL(url);
  const env = { PGPASSWORD: decodeURIComponent(place.password) };
  place.password = "";
  const run = await runMeasured(join(debian, "pg_dump"), ["-Fd", "-j2", "-f", folder, "-d", place.href], env);
  return { ...run, stored: sum(readdirSync(folder).map((file) => statSync(join(folder, file)).size)) };
}

/** Runs with a folder of its own, which is gone afterwards. */
async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
  try {
    chmodSync(folder, 0o755);
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(line: Line): void {
  if (json) console.log(JSON.stringify(line));
  else console.table([line]);
}

function printSteps(steps: readonly Step[]): void {
  const alone = { peer: null, ratio: null, peak_rss_mb: null, peer_peak_rss_mb: null };
  if (json) for (const step of steps) console.log(JSON.stringify({ bench: "dump", ...step, ...alone }));
  else console.table(steps);
}

function word(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
}

function option(name: string, usual: number): number {
  return Number(word(name) ?? usual) || usual;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

try {
  await main();
} finally {
  await stopAll();
}
