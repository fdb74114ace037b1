import { spawn } from "node:child_process";
import { join } from "node:path";
import { stopAtExit } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { columns } from "./story.ts";
import type { User } from "./token.ts";
import type { World } from "./world.ts";

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs the command line as a process of its own, with the world's settings. */
export async function belay(world: World, ...words: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(repository, "cli/main.ts"), ...words], {
    cwd: repository,
    env: { PATH: process.env.PATH, NO_COLOR: "1", COLUMNS: String(columns), ...world.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  const forget = stopAtExit({
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
    },
    kill: () => void child.kill("SIGKILL"),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const code = await gone;
  forget();
  return { code, output };
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route, looked at field by field
  readonly body: any;
}

/** Asks a function over HTTP as a signed-in user; default: the operator. */
export async function ask(
  world: World,
  name: keyof World["functions"],
  method: "GET" | "POST" | "PUT",
  path: string,
  body?: unknown,
  user?: User,
): Promise<Answer> {
  return send(`${world.functions[name].url}/${name}${path}`, method, body, {
    authorization: `Bearer ${await world.identity.token(user)}`,
  });
}

/** Sends one request with the given headers. */
export async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: await response.json() };
}

/** Asks again and again until the answer is not null; null after 60 s. */
export async function eventually<T>(look: () => Promise<T | null>): Promise<T | null> {
  for (let waited = 0; waited < 60_000; waited += 200) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return null;
}
