import { dumpDatabase } from "../shared/archive/write/dump.ts";
import { parseSettings } from "../shared/config.ts";
import { openSession } from "../shared/postgres/session.ts";
import { openStore } from "../shared/store/open.ts";

/** What one dump in an edge function's place took; printed as JSON. */
export interface EdgeMeasurement {
  readonly rawBytes: number;
  readonly seconds: number;
  /** User and system time of the whole process, starting up included. */
  readonly cpuSeconds: number;
  /** Of that, before the dump began. */
  readonly startCpuSeconds: number;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const [database, store, accessKeyId, secretAccessKey, level] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const startCpuSeconds = cpuSeconds();
const start = performance.now();
const manifest = await dumpDatabase(
  {
    settings: parseSettings({ database, store, runtime: "edge" }),
    actor: "bench",
    store: openStore(store, { accessKeyId, secretAccessKey }),
    scratchUrl: null,
    openSession: (options) => openSession(database, options),
    report: () => {},
    now: () => new Date(),
  },
  { reason: "bench", gzipLevel: Number(level) },
);
const measurement: EdgeMeasurement = {
  rawBytes: manifest.tables.reduce((sum, table) => sum + table.rawBytes, 0),
  seconds: (performance.now() - start) / 1000,
  cpuSeconds: cpuSeconds(),
  startCpuSeconds,
};
console.log(JSON.stringify(measurement));
