import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { WriterReport } from "./log.ts";

export interface WriterProcess {
  go(): void;
  /** Waits for the transactions in flight, and answers what was committed since the last time. */
  pause(): Promise<WriterReport>;
  end(): Promise<void>;
}

export interface WriterOptions {
  readonly connections: number;
  /** Transactions a second at most, all connections together. */
  readonly rate: number;
  readonly seed: number;
}

export async function startWriters(url: string, { connections, rate, seed }: WriterOptions): Promise<WriterProcess> {
  const child = fork(join(import.meta.dirname, "writers.ts"), [url, ...[connections, rate, seed].map(String)]);
  const ended = once(child, "exit");
  const answer = async () => {
    const [message] = await Promise.race([
      once(child, "message"),
      ended.then(([code]) => {
        throw new Error(`the writers ended with ${code}`);
      }),
    ]);
    return message;
  };
  await answer();
  return {
    go: () => void child.send("go"),
    pause: () => {
      const report = answer();
      child.send("pause");
      return report as Promise<WriterReport>;
    },
    end: async () => {
      child.disconnect();
      await ended;
    },
  };
}
