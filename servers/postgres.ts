import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stopAtExit } from "./cleanup.ts";
import { freePort } from "./ports.ts";
import { type Major, type PostgresPrograms, postgresPrograms } from "./postgres-programs.ts";
import { killStaleServer, runPlace } from "./runs.ts";

export interface PostgresOptions {
  /** Default 17. */
  readonly major?: Major;
  /** Default: a new folder, removed at stop. A given one is kept, and used again by the next start. */
  readonly dataDirectory?: string;
  readonly port?: number;
  /** Name of the first superuser; default postgres. */
  readonly superuser?: string;
  /** False (default) trades safety against a power cut for speed. */
  readonly fsync?: boolean;
  /** Programs of another installation, for example Debian's. */
  readonly programs?: PostgresPrograms;
}

export interface PostgresServer {
  /** Superuser's URL of the database `postgres`, with its password. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a server on 127.0.0.1 with password authentication; it ends with this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = options.programs ?? postgresPrograms(options.major ?? 17);
  const directory =
    options.dataDirectory ??
    runPlace(`postgres-${options.programs === undefined ? (options.major ?? 17) : "installed"}`);
  const superuser = options.superuser ?? "postgres";
  const password = await prepare(directory, programs, superuser);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const child = launch(directory, port, programs, options.fsync ?? false);
    if (await isReady(directory, child)) {
      const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
      return { url, port, stop: stopper(child, options.dataDirectory === undefined ? directory : null) };
    }
    const log = readFileSync(logFile(directory), "utf8");
    if (attempt === 5 || options.port !== undefined || !/could not (bind|create any TCP)/.test(log))
      throw new Error(`Postgres did not start in ${directory}:\n${log.slice(-2_000)}`);
  }
}

const logFile = (directory: string) => `${directory}.log`;

async function prepare(directory: string, programs: PostgresPrograms, superuser: string): Promise<string> {
  const secret = `${directory}.password`;
  if (existsSync(join(directory, "PG_VERSION"))) {
    killStaleServer(directory);
    return readFileSync(secret, "utf8").trim();
  }
  const password = randomBytes(18).toString("hex");
  writeFileSync(secret, password, { mode: 0o600 });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (programs.user !== undefined) {
    chownSync(secret, programs.user.uid, programs.user.gid);
    chownSync(directory, programs.user.uid, programs.user.gid);
  }
  await initialise(directory, secret, programs, superuser);
  return password;
}

function initialise(directory: string, secret: string, programs: PostgresPrograms, superuser: string): Promise<void> {
  const flags = [`--username=${superuser}`, `--pwfile=${secret}`, "--auth=scram-sha-256", "--encoding=UTF8"];
  const child = spawn(programs.initdb, [`--pgdata=${directory}`, ...flags, "--locale=C", "--no-sync"], {
    ...programs.user,
    cwd: "/",
    env: serverEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`initdb failed with ${code} in ${directory}:\n${output}`)),
    );
  });
}

function launch(directory: string, port: number, programs: PostgresPrograms, fsync: boolean): ChildProcess {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    fsync: fsync ? "on" : "off",
    max_connections: 200,
    max_wal_size: "2GB",
    max_prepared_transactions: 5,
  };
  const log = openSync(logFile(directory), "w");
  const child = spawn(
    programs.postgres,
    ["-D", directory, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    // Its own process group: Ctrl-C reaches this process first, which then ends the server in order.
    { ...programs.user, cwd: "/", env: serverEnvironment(), stdio: ["ignore", log, log], detached: true },
  );
  closeSync(log);
  return child;
}

/** Nothing of this process's own environment: what runs in the server could read it. */
function serverEnvironment(): Record<string, string> {
  return { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** The eighth line of postmaster.pid says `ready` (src/include/utils/pidfile.h). */
async function isReady(directory: string, child: ChildProcess): Promise<boolean> {
  let failed = false;
  child.once("error", () => {
    failed = true;
  });
  for (let waited = 0; waited < 60_000; waited += 25) {
    if (failed || child.exitCode !== null || child.signalCode !== null) return false;
    const file = join(directory, "postmaster.pid");
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (lines[0] === String(child.pid) && lines[7]?.trim() === "ready") return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill("SIGQUIT");
  return false;
}

function stopper(child: ChildProcess, temporaryDirectory: string | null): () => Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    forget();
    // SIGINT is a fast shutdown: sessions are ended, nothing is waited for.
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGQUIT"), 15_000);
    await gone;
    clearTimeout(late);
    if (temporaryDirectory === null) return;
    for (const place of [temporaryDirectory, logFile(temporaryDirectory), `${temporaryDirectory}.password`])
      rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const forget = stopAtExit({ stop, kill: () => void child.kill("SIGQUIT") });
  return stop;
}
