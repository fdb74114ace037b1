import postgres from "postgres";

/** What the writer saw. */
export interface Written {
  /** Rows whose INSERT was answered. */
  readonly inserted: number;
  /** Longest time that one INSERT took, the failing one included. */
  readonly longestMs: number;
}

/** For bench/lock-time.ts: inserts without pause until the table is gone, and answers what it saw when it is told to end. */
const sql = postgres(process.argv[2]!, { max: 1, onnotice: () => {} });
await sql`select count(*) from orders where false`;
let [inserted, longestMs, ended] = [0, 0, false];

process.once("message", async () => {
  ended = true;
  await running;
  await sql.end();
  process.send!({ inserted, longestMs } satisfies Written);
});
process.send!("ready");
const running = write();

async function write(): Promise<void> {
  while (!ended) {
    const start = performance.now();
    const isThere =
      await sql`insert into orders (reference, status, note) values (gen_random_uuid(), 'open', 'written')`.then(
        () => true,
        () => false,
      );
    longestMs = Math.max(longestMs, performance.now() - start);
    if (!isThere) return;
    inserted++;
  }
}
