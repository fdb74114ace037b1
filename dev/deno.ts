import { spawn } from "node:child_process";
import { join } from "node:path";
import { stopAtExit } from "../servers/cleanup.ts";
import { localProgram, repository } from "../servers/paths.ts";
import { freePort } from "../servers/ports.ts";
import { noteProcessGroup } from "../servers/runs.ts";

/** What an edge function may do: no run, no ffi, no write. */
export const edgePermissions = ["--allow-net", "--allow-env", "--allow-read", "--no-prompt"] as const;

export interface DenoFunction {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** What the function wrote so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Serves a function's entry file under Deno with an edge function's permissions and only the given environment, on
 * what npm installed: nothing is downloaded. Throws with the function's output when it does not answer in 60 s.
 */
export async function startFunction(
  entry: string,
  environment: Readonly<Record<string, string>>,
): Promise<DenoFunction> {
  const port = await freePort();
  const child = spawn(
    localProgram("deno"),
    ["run", "--cached-only", "--config", join(repository, "deno.json"), ...edgePermissions, join(repository, entry)],
    {
      cwd: repository,
      env: { ...basics(), ...environment, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group: the npm launcher's child ends with it.
      detached: true,
    },
  );
  if (child.pid !== undefined) noteProcessGroup(child.pid, entry);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-100_000);
    });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // Gone already.
    }
  };
  const stop = async () => {
    forget();
    signal("SIGTERM");
    const late = setTimeout(() => signal("SIGKILL"), 5_000);
    await gone;
    clearTimeout(late);
  };
  const forget = stopAtExit({ stop, kill: () => signal("SIGKILL") });
  const url = `http://127.0.0.1:${port}`;
  if (await answers(url, () => child.exitCode !== null)) return { url, log: () => output, stop };
  await stop();
  throw new Error(`${entry} does not answer under Deno:\n${output}`);
}

function basics(): Record<string, string> {
  const kept = ["PATH", "HOME", "DENO_DIR", "TMPDIR"].map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)), NO_COLOR: "1" };
}

async function answers(url: string, ended: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 60_000 && !ended(); waited += 100) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    if (response !== null) {
      await response.body?.cancel();
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
