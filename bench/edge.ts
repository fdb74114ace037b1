import { join } from "node:path";
import { edgePermissions } from "../dev/deno.ts";
import { startS3 } from "../dev/s3.ts";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { localProgram, repository } from "../servers/paths.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import { dominantTable, dropDatabase, makeDatabase } from "./databases.ts";
import type { EdgeMeasurement } from "./edge-program.ts";
import type { Line as BenchLine } from "./line.ts";
import { median, runMeasured } from "./processes.ts";

/**
 * A dump under Deno with an edge function's permissions, to S3: MB of COPY text for each second of the process's CPU
 * (all threads; digests and reading back included), and how much fits into an invocation's 2 CPU seconds and 256 MB
 * when the function has started already.
 *
 *   npm run bench -- edge [--json] [--runs 3]
 */
interface Line extends BenchLine<"edge", "MB/CPU s"> {
  readonly cpu_s: number;
  readonly start_cpu_s: number;
  /** MB of COPY text in 2 CPU seconds. */
  readonly fits_mb: number;
}

const sizes = [8, 32, 96];
const levels = [1, 6];
const cpuLimitSeconds = 2;
const runs = Number(process.argv[process.argv.indexOf("--runs") + 1]) || 3;

async function main(): Promise<void> {
  const debian = debianPrograms();
  const server = await startPostgres(debian === null ? {} : { programs: installedPrograms(debian) });
  const s3 = await startS3();
  const lines: Line[] = [];
  for (const megabytes of sizes) {
    const url = await makeDatabase(server.url, "bench_edge", dominantTable(megabytes));
    for (const level of levels) {
      const words = [url, s3.storeUrl(`edge-${megabytes}-${level}`), s3.accessKeyId, s3.secretAccessKey, String(level)];
      const measured: Measured[] = [];
      for (let run = 0; run < runs; run += 1) measured.push(await measure(words));
      lines.push(lineOf(megabytes, level, measured));
    }
    await dropDatabase(server.url, "bench_edge");
  }
  if (process.argv.includes("--json")) for (const line of lines) console.log(JSON.stringify(line));
  else console.table(lines.map(({ peer: _, ratio: __, peer_peak_rss_mb: ___, ...line }) => line));
}

interface Measured extends EdgeMeasurement {
  readonly peakRssBytes: number;
}

async function measure(words: readonly string[]): Promise<Measured> {
  const program = join(import.meta.dirname, "edge-program.ts");
  const config = ["--cached-only", "--config", join(repository, "deno.json")];
  const run = await runMeasured(localProgram("deno"), ["run", ...config, ...edgePermissions, program, ...words]);
  return { ...(JSON.parse(run.stdout) as EdgeMeasurement), peakRssBytes: run.peakRssBytes };
}

function lineOf(megabytes: number, level: number, measured: readonly Measured[]): Line {
  const raw = measured[0]!.rawBytes / 1e6;
  const cpu = median(measured.map((one) => one.cpuSeconds - one.startCpuSeconds));
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    bench: "edge",
    case: `${megabytes} MB, gzip -${level}`,
    ours: round(raw / cpu),
    peer: null,
    unit: "MB/CPU s",
    ratio: null,
    peak_rss_mb: Math.round(Math.max(...measured.map(({ peakRssBytes }) => peakRssBytes)) / 1e6),
    peer_peak_rss_mb: null,
    cpu_s: round(cpu),
    start_cpu_s: round(median(measured.map(({ startCpuSeconds }) => startCpuSeconds))),
    fits_mb: Math.round((raw / cpu) * cpuLimitSeconds),
  };
}

try {
  await main();
} finally {
  await stopAll();
}
