import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../servers/ports.ts";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { runPlace, serverPid } from "../../servers/runs.ts";
import { type S3Server, startS3 } from "../s3.ts";
import { type StoreProxy, startStoreProxy } from "./proxy/store.ts";
import { startWireProxy, type WireProxy } from "./proxy/wire.ts";
import { onSession } from "./state.ts";

/** All that a round needs and may break: a server of its own, a store, and a proxy in front of each. */
export interface World {
  readonly wire: WireProxy;
  readonly store: StoreProxy;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** With short limits, for the command that is broken, and with the usual ones. */
  readonly policies: { readonly short: string; readonly usual: string };
  /** Sets how long (ms) of `policies.short` the locks may be held and the store may stall, for a machine so much slower. */
  slowDown(factor: number): void;
  /** Straight to the server; for the harness. */
  url(database: string): string;
  /** Through the proxy; for the command that is broken. */
  brokenUrl(database: string): string;
  storeUrl(prefix: string): string;
  brokenStoreUrl(prefix: string): string;
  copyStore(from: string, to: string): void;
  removeStore(prefix: string): void;
  /** Runs SQL on the server's own database. */
  run(sql: string): Promise<Record<string, unknown>[]>;
  postmaster(): number | null;
  /** Starts the server again once it is gone. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Short limits, so that what must end by itself does so while a round waits. */
export const limits = {
  lockTimeoutMs: 500,
  lockAttempts: 3,
  criticalSectionMs: 3_000,
  idleMs: 2_500,
  statementTimeoutMs: 8_000,
  storeStallMs: 2_500,
  archiveMs: 15_000,
} as const;

let worlds = 0;

export async function startWorld(major: Major = 17): Promise<World> {
  const name = `faults-${++worlds}`;
  const dataDirectory = runPlace(`${name}-postgres`);
  const port = await freePort();
  let server: PostgresServer = await startPostgres({ major, dataDirectory, port });
  const directory = runPlace(`${name}-s3`);
  mkdirSync(directory, { recursive: true });
  const s3: S3Server = await startS3({ directory });
  const wire = await startWireProxy(() => port);
  const store = await startStoreProxy(s3.endpoint, directory);
  const policies = { short: join(directory, "short.json"), usual: join(directory, "usual.json") };
  const gates = { approved: "advised" };
  const slowDown = (factor: number) => {
    const { criticalSectionMs, storeStallMs } = limits;
    const longer = {
      criticalSectionMs: Math.round(criticalSectionMs * factor),
      storeStallMs: Math.round(storeStallMs * factor),
    };
    writeFileSync(policies.short, JSON.stringify({ gates, limits: { ...limits, ...longer } }));
  };
  slowDown(1);
  // On a busy machine all takes longer.
  writeFileSync(policies.usual, JSON.stringify({ gates, limits: { criticalSectionMs: 60_000 } }));
  const placed = (database: string, at: number) => {
    const url = new URL(server.url);
    url.port = String(at);
    url.pathname = `/${database}`;
    return url.href;
  };
  const stored = (prefix: string, endpoint: string) =>
    `s3://${s3.bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`;
  const placeOf = (prefix: string) => join(directory, s3.bucket, prefix);
  const run = async (sql: string) =>
    onSession(placed("postgres", port), async (session) => [...(await session.run(sql))]);
  await run("alter system set autovacuum = off");
  await run("alter system set max_prepared_transactions = 10");
  await run("select pg_reload_conf()");
  return {
    wire,
    store,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policies,
    slowDown,
    url: (database) => placed(database, port),
    brokenUrl: (database) => placed(database, wire.port),
    storeUrl: (prefix) => stored(prefix, s3.endpoint),
    brokenStoreUrl: (prefix) => stored(prefix, `http://127.0.0.1:${store.port}`),
    copyStore: (from, to) => cpSync(placeOf(from), placeOf(to), { recursive: true }),
    removeStore: (prefix) => rmSync(placeOf(prefix), { recursive: true, force: true, maxRetries: 3 }),
    run,
    postmaster: () => serverPid(dataDirectory),
    restart: async () => {
      await server.stop();
      server = await startAgain({ major, dataDirectory, port });
    },
    stop: async () => {
      wire.close();
      store.close();
      await s3.stop();
      await server.stop();
      for (const place of [dataDirectory, `${dataDirectory}.log`, `${dataDirectory}.password`, directory])
        rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Backends that outlive a killed postmaster still hold its memory for a moment. */
async function startAgain(options: Parameters<typeof startPostgres>[0]): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startPostgres(options);
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
