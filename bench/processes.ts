import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Run {
  readonly seconds: number;
  /** Greatest resident memory (VmHWM) of one process; a program may have several. */
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/** Runs a program to its end, with its peak memory from /proc; throws when it fails. The URL's password goes into the environment. */
export async function runMeasured(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const start = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const peaks = new Map<number, number>();
  const look = () => {
    for (const pid of family(child.pid!)) peaks.set(pid, Math.max(peaks.get(pid) ?? 0, residentPeak(pid)));
  };
  const watch = setInterval(look, 20);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  clearInterval(watch);
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr.slice(-2_000)}${stdout.slice(-2_000)}`);
  return { seconds, peakRssBytes: Math.max(0, ...peaks.values()), stdout };
}

/** A process and its children, for example pg_restore's workers. */
function family(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => family(Number(child))))];
  } catch {
    return [pid];
  }
}

function residentPeak(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
