import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { belayFolder, repository } from "../../servers/paths.ts";
import type { World } from "./world.ts";

/** The real command line, as a process of its own. */
export interface Command {
  /** null: by the command's own verbs in this process, which takes a third of the time. */
  readonly child: ChildProcess | null;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly ms: number;
}

export interface CommandPlace {
  readonly database: string;
  readonly store: string;
  readonly policy: string;
  readonly keys?: World["credentials"];
}

/** Starts `belay WORDS`. */
export function startCommand(
  words: readonly string[],
  place: CommandPlace,
): Command & { readonly child: ChildProcess } {
  const started = performance.now();
  const child = spawn(process.execPath, ["--liftoff-only", join(repository, "cli/main.ts"), ...words], {
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(belayFolder, "compile-cache"),
      BELAY_DATABASE_URL: place.database,
      BELAY_STORE: place.store,
      BELAY_POLICY: place.policy,
      BELAY_ACTOR: "faults",
      AWS_ACCESS_KEY_ID: place.keys?.accessKeyId,
      AWS_SECRET_ACCESS_KEY: place.keys?.secretAccessKey,
    },
  });
  let output = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (output += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (exitCode, signal) =>
      resolve({ exitCode, signal, output: output.trim(), ms: performance.now() - started }),
    ),
  );
  return { child, ended };
}
