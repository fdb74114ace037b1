import { openConnection } from "./connection.ts";
import type { WriterReport } from "./log.ts";
import { type Counts, createWriter } from "./writer.ts";

/** Writers that share a connection: as many transactions of it are on their way at once. */
const writersEach = 6;

/** `node writers.ts URL CONNECTIONS RATE SEED`: writes while it is told to, and reports what was committed when it is told to stop. */
const [url, count, rate, seed] = process.argv.slice(2) as [string, string, string, string];
const connections = await Promise.all(Array.from({ length: Number(count) }, () => openConnection(url)));
const writers = connections.flatMap((connection, place) =>
  Array.from({ length: writersEach }, (_, lane) =>
    createWriter({ connection, place, seed: Number(seed) * 10_000 + place * 100 + lane }),
  ),
);

const fresh = (): Counts => ({ committed: 0, failed: {}, longestMs: 0, effects: [], unknown: [] });
let counts = fresh();
let going = false;
let running: Promise<unknown> = Promise.resolve();

process.on("message", async (message) => {
  if (message === "go") {
    going = true;
    const inTime = createPace(Number(rate));
    running = Promise.all(
      writers.map(async (writer) => {
        while (going) {
          await inTime();
          await writer.write(counts);
        }
      }),
    );
    return;
  }
  going = false;
  await running;
  process.send!(counts satisfies WriterReport);
  counts = fresh();
});
process.on("disconnect", async () => {
  going = false;
  await running;
  await Promise.all(connections.map((connection) => connection.session().close()));
});
process.send!("ready");

/** Waits when more has been asked for than `rate` a second; what locks held up is caught up with as fast as can be. */
function createPace(rate: number): () => Promise<void> {
  const started = performance.now();
  let asked = 0;
  return async () => {
    const aheadMs = (++asked / rate) * 1_000 - (performance.now() - started);
    if (aheadMs > 1) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  };
}
