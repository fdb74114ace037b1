import type { WriterReport } from "./log.ts";
import { type Counts, startWriter } from "./writer.ts";

/** `node writers.ts URL WRITERS SEED`: writes while it is told to, and reports what was committed when it is told to stop. */
const [url, count, seed] = process.argv.slice(2) as [string, string, string];
const writers = await Promise.all(
  Array.from({ length: Number(count) }, (_, number) => startWriter(url, number, Number(seed))),
);

const fresh = (): Counts => ({ committed: 0, failed: {}, longestMs: 0, effects: [], unknown: [] });
let counts = fresh();
let going = false;
let running: Promise<unknown> = Promise.resolve();

process.on("message", async (message) => {
  if (message === "go") {
    going = true;
    running = Promise.all(
      writers.map(async (writer) => {
        while (going) await writer.write(counts);
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
  await Promise.all(writers.map((writer) => writer.close()));
});
process.send!("ready");
