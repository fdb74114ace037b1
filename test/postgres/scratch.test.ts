import { expect, test } from "vitest";
import { createScratch, newScratchName } from "../../shared/postgres/scratch.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { testBelay } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";

test("a scratch database with subscriptions, as a restored dump may have them, is dropped like any other", async () => {
  const server = await serverUrl();
  const scratch = await createScratch(testBelay({ database: server, scratch: server }), "test", newScratchName());
  await scratch.session.run(
    `create subscription "Odd ""Sub" connection 'host=127.0.0.1 port=1 dbname=x' publication p with (connect = false, slot_name = 'kept')`,
  );
  await scratch.session.run(`alter subscription "Odd ""Sub" enable`);
  await scratch.drop();
  const session = await openSession(server);
  const [left] = await session.sql`select count(*)::int as databases from pg_database where datname = ${scratch.name}`;
  await session.close();
  expect(left?.databases).toBe(0);
});
