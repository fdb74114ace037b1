import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { stopAll } from "../dev/cleanup.ts";
import { debianPrograms } from "../dev/debian.ts";
import { startPostgres } from "../dev/postgres.ts";
import { installedPrograms } from "../dev/postgres-programs.ts";
import { startS3 } from "../dev/s3.ts";
import type { DumpMeasurement } from "./archive-memory-dump.ts";

/**
 * Speed and peak memory of archiving one table of 100 MB and of 1 GB (COPY text), to a folder and over HTTP to S3, each in
 * a process of its own; stock pg_dump -Fd is the peer when Debian's postgresql-15 is installed. Belay's times include
 * reading every byte back, decoding it, and the table's digest; pg_dump's do not.
 *
 *   node bench/archive-memory.ts [--json]
 */
const bytesPerRow = 306;
const sizes = [100, 1_000] as const;

interface Line {
  readonly bench: "archive-memory";
  readonly case: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly unit: "MB/s";
  readonly ratio: number | null;
  readonly peak_rss_mb: number;
  readonly peer_peak_rss_mb: number | null;
}

async function main(): Promise<void> {
  const debian = debianPrograms();
  const server = await startPostgres(debian === null ? {} : { programs: installedPrograms(debian) });
  const s3 = await startS3();
  const lines: Line[] = [];
  for (const megabytes of sizes) {
    await fill(server.url, Math.round((megabytes * 1e6) / bytesPerRow));
    const folder = mkdtempSync(join(tmpdir(), "belay-bench-"));
    const peer = debian === null ? null : await measurePgDump(debian, server.url, join(folder, "peer"));
    const stores = { folder: pathToFileURL(join(folder, "ours")).href, s3: s3.storeUrl(`bench-${megabytes}`) };
    for (const [name, store] of Object.entries(stores)) {
      const ours = await measureOurs(server.url, store, s3);
      const speed = ours.rawBytes / 1e6 / ours.seconds;
      const peerSpeed = peer === null ? null : ours.rawBytes / 1e6 / peer.seconds;
      lines.push({
        bench: "archive-memory",
        case: `${megabytes} MB to ${name}`,
        ours: round(speed),
        peer: peerSpeed === null ? null : round(peerSpeed),
        unit: "MB/s",
        ratio: peerSpeed === null ? null : round(speed / peerSpeed),
        peak_rss_mb: Math.round(ours.peakRssBytes / 1e6),
        peer_peak_rss_mb: peer === null ? null : Math.round(peer.peakRssBytes / 1e6),
      });
    }
    rmSync(folder, { recursive: true });
  }
  if (process.argv.includes("--json")) for (const line of lines) console.log(JSON.stringify(line));
  else console.table(lines.map(({ bench: _, ...line }) => line));
}

/** Text that compresses about as business data does: half of it repeats. */
async function fill(url: string, rows: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(`drop table if exists bench; create table bench as
    select i as id, md5(i::text) || md5((i * 7)::text) || md5((i * 13)::text) as random,
      repeat('order line ' || i % 1000 || ', ', 10) as text, i / 3.0 as price,
      timestamp '2024-01-01' + i * interval '1 second' as at
    from generate_series(1, ${rows}) i`);
  await sql.end();
}

async function measureOurs(
  database: string,
  store: string,
  keys: { accessKeyId: string; secretAccessKey: string },
): Promise<DumpMeasurement> {
  const program = join(import.meta.dirname, "archive-memory-dump.ts");
  const child = spawn(process.execPath, [program, database, store, keys.accessKeyId, keys.secretAccessKey], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`the dump ended with ${code}`);
  return JSON.parse(text) as DumpMeasurement;
}

async function measurePgDump(programs: string, database: string, folder: string) {
  const url = new URL(database);
  const password = url.password;
  url.password = "";
  const start = performance.now();
  const child = spawn(join(programs, "pg_dump"), ["-Fd", "-f", folder, "-d", url.href], {
    env: { PGPASSWORD: password },
    stdio: ["ignore", "inherit", "inherit"],
  });
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, residentPeak(child.pid!))), 50);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`pg_dump ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, peakRssBytes: peak };
}

function residentPeak(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const round = (value: number) => Math.round(value * 100) / 100;

try {
  await main();
} finally {
  await stopAll();
}
