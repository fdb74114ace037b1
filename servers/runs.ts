import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serversFolder } from "./paths.ts";

let current: string | undefined;

/** This process's own folder for servers' data; what dead processes left behind is stopped and removed first. */
export function runFolder(): string {
  if (current !== undefined && existsSync(current)) return current;
  const runs = join(serversFolder(), "runs");
  mkdirSync(runs, { recursive: true });
  chmodSync(runs, 0o711);
  for (const name of readdirSync(runs)) if (!isAlive(Number(name))) removeRun(join(runs, name));
  current = join(runs, String(process.pid));
  removeRun(current);
  mkdirSync(current);
  chmodSync(current, 0o711);
  process.on("exit", () => removeFolder(current!));
  return current;
}

/** A new folder within this process's own. */
export function runPlace(name: string): string {
  for (let number = 1; ; number++) {
    const place = join(runFolder(), number === 1 ? name : `${name}-${number}`);
    if (!existsSync(place)) return place;
  }
}

/** Remembers a process group, so that the next start ends it when this process could not. `word` is in its command line. */
export function noteProcessGroup(pid: number, word: string): void {
  writeFileSync(join(runFolder(), `${pid}.process`), word);
}

function removeRun(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".process")) killStaleGroup(Number.parseInt(name, 10), readFileSync(join(folder, name), "utf8"));
    else killStaleServer(join(folder, name));
  }
  removeFolder(folder);
}

function killStaleGroup(pid: number, word: string): void {
  if (pid <= 1 || !isAlive(pid) || commandLine(pid)?.includes(word) !== true) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

/** Ends a Postgres that still runs on this data directory, if any, at once. */
export function killStaleServer(dataDirectory: string): boolean {
  const pid = serverPid(dataDirectory);
  if (pid === null) return false;
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    return false;
  }
  for (let waited = 0; waited < 5_000 && isAlive(pid); waited += 50) pause(50);
  return true;
}

/** Process id of the server on this data directory; null when there is none, or when the number now means another process. */
export function serverPid(dataDirectory: string): number | null {
  const file = join(dataDirectory, "postmaster.pid");
  if (!existsSync(file)) return null;
  const [pid, directory] = readFileSync(file, "utf8").split("\n");
  const number = Number(pid);
  if (!Number.isInteger(number) || number <= 1 || directory === undefined || !isAlive(number)) return null;
  return commandLine(number)?.includes(directory) === false ? null : number;
}

function commandLine(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return listedCommand(pid);
  }
}

/** Where there is no /proc. */
function listedCommand(pid: number): string | null {
  try {
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  } catch {
    // The next start removes it.
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
