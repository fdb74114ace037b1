import { dumpDatabase } from "../shared/archive/write/dump.ts";
import { parseSettings } from "../shared/config.ts";
import { openSession } from "../shared/postgres/session.ts";
import { openStore } from "../shared/store/open.ts";

export interface DumpMeasurement {
  readonly seconds: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly peakRssBytes: number;
}

/** One dump in a process of its own, so that its peak memory is its own; prints a DumpMeasurement. */
const [database, store, accessKeyId, secretAccessKey] = process.argv.slice(2) as [string, string, string, string];
const start = performance.now();
const manifest = await dumpDatabase(
  {
    settings: parseSettings({ database, store }),
    actor: "bench",
    store: openStore(store, { accessKeyId, secretAccessKey }),
    scratchUrl: null,
    openSession: (options) => openSession(database, options),
    report: () => {},
    now: () => new Date(),
  },
  { reason: "bench" },
);
const measurement: DumpMeasurement = {
  seconds: (performance.now() - start) / 1000,
  rawBytes: manifest.tables.reduce((sum, table) => sum + table.rawBytes, 0),
  storedBytes: manifest.objects.reduce((sum, object) => sum + object.bytes, 0),
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(measurement));
