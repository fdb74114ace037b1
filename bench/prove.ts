import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopAll } from "../servers/cleanup.ts";
import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms } from "../servers/postgres-programs.ts";
import { proveFolder } from "../shared/migrations/prove/prove.ts";
import { readMigrationFolder } from "../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../shared/migrations/types.ts";

import { dropDatabase, emptyDatabase, onServer } from "./databases.ts";
import type { Line as BenchLine } from "./line.ts";

/**
 * Proving a folder (`belay prove --no-fix --no-cache`, the chain's database made and dropped) against the plain loop on
 * the same server: for each migration `pg_dump -s`, psql up, psql down, `pg_dump -s`, compare, psql up. Where a rollback
 * does not lead back, the loop's database is put right outside of the measured time.
 *
 *   node bench/prove.ts [--json] [--only shop]
 */
type Line = BenchLine<"prove", "s">;

const corpora = join(import.meta.dirname, "../../shared/corpora");
const cases = [
  { name: "the example shop", folder: join(import.meta.dirname, "../examples/shop/supabase/migrations") },
  ...["horizon", "cratesio", "kratos"].map((name) => ({ name, folder: join(corpora, name) })),
];

async function main(): Promise<void> {
  const debian = debianPrograms();
  const server = await startPostgres(debian === null ? {} : { programs: installedPrograms(debian) });
  const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1]! : "";
  const lines: Line[] = [];
  for (const { name, folder } of cases) {
    if (!existsSync(folder) || !name.includes(only)) continue;
    const read = await readMigrationFolder(folder);
    const peer = debian === null ? null : await plainLoop(debian, server.url, read);
    const ours = await timed(() => proveAll(server.url, read));
    lines.push({
      bench: "prove",
      case: `${name}, ${read.migrations.length} migrations, without fixes`,
      ours: round(ours / 1000),
      peer: peer === null ? null : round(peer / 1000),
      unit: "s",
      ratio: peer === null ? null : round(ours / peer),
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1000),
      peer_peak_rss_mb: null,
    });
  }
  if (process.argv.includes("--json")) for (const line of lines) console.log(JSON.stringify(line));
  else console.table(lines.map(({ bench: _, peer_peak_rss_mb: __, ...line }) => line));
}

async function proveAll(url: string, folder: MigrationFolder): Promise<void> {
  const openServer = async () => ({ scratchUrl: url, now: () => new Date() });
  await proveFolder({ folder, server: "bench", openServer });
}

/** Milliseconds that the loop's own steps took. */
async function plainLoop(programs: string, server: string, folder: MigrationFolder): Promise<number> {
  const files = mkdtempSync(join(tmpdir(), "belay-bench-prove-"));
  const [url, clean] = [await emptyDatabase(server, "bench_loop"), await emptyDatabase(server, "bench_clean")];
  let spent = 0;
  const step = <T>(work: () => T): T => {
    const start = performance.now();
    const result = work();
    spent += performance.now() - start;
    return result;
  };
  try {
    for (const migration of folder.migrations) {
      const up = write(join(files, "up.sql"), migration.forwardSql);
      const { rollback } = migration;
      const alone = rollback !== null && rollback.reverses.length <= 1;
      const down = alone ? write(join(files, "down.sql"), rollback.sql) : null;
      const before = step(() => dump(programs, url));
      step(() => psql(programs, url, up));
      psql(programs, clean, up);
      if (down === null) continue;
      const led = step(() => psql(programs, url, down) && dump(programs, url) === before && psql(programs, url, up));
      if (!led || dump(programs, url) !== dump(programs, clean)) await copy(server, "bench_clean", "bench_loop");
    }
    return spent;
  } finally {
    rmSync(files, { recursive: true, force: true });
    for (const name of ["bench_loop", "bench_clean"]) await dropDatabase(server, name);
  }
}

function dump(programs: string, url: string): string {
  const { stdout } = run(join(programs, "pg_dump"), ["-s", "--no-sync", "-d", url]);
  return stdout.replace(/^\\(un)?restrict .*$/gm, "");
}

function psql(programs: string, url: string, file: { path: string; apart: boolean }): boolean {
  const transaction = file.apart ? [] : ["-1"];
  return run(join(programs, "psql"), ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...transaction, "-f", file.path, "-d", url])
    .ok;
}

function run(program: string, args: readonly string[]): { ok: boolean; stdout: string } {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1e9 });
  return { ok: status === 0, stdout };
}

function write(path: string, sql: string): { path: string; apart: boolean } {
  writeFileSync(path, sql);
  return { path, apart: /^(?!\s*--).*\bconcurrently\b/im.test(sql) };
}

async function copy(server: string, from: string, to: string): Promise<void> {
  await dropDatabase(server, to);
  await onServer(server, `create database ${to} template ${from}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const round = (value: number) => Math.round(value * 100) / 100;

try {
  await main();
} finally {
  await stopAll();
}
