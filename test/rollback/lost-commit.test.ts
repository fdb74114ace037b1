import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { settleEarlierAttempts } from "../../shared/rollback/transaction/settle.ts";
import { beginLimited } from "../../shared/rollback/transaction/timeouts.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run, withDatabase } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key); insert into notes values (1), (2);",
  down: "drop table notes;",
};

interface Cut {
  /** Whether the COMMIT still reaches the server. */
  readonly delivered: boolean;
  /** Whether the server can be asked afterwards. */
  readonly reachable: boolean;
  /** Milliseconds after which it can be asked again. */
  readonly backAfterMs?: number;
}

let proxy: Server | undefined;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  proxy?.close();
});

/** A proxy that cuts the connection on which COMMIT is sent, before its answer comes back. */
async function cuttingProxy(url: string, cut: Cut): Promise<string> {
  const target = new URL(url);
  let done = false;
  let away = false;
  proxy = createServer((client) => {
    if (away) {
      client.destroy();
      return;
    }
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("data", (bytes) => {
      if (done || !bytes.includes("commit\0")) {
        server.write(bytes);
        return;
      }
      done = true;
      away = !cut.reachable;
      if (cut.backAfterMs !== undefined) setTimeout(() => (away = false), cut.backAfterMs);
      if (cut.delivered) server.write(bytes, () => setTimeout(() => server.end(), 300));
      else server.destroy();
      client.destroy();
    });
    server.on("data", (bytes) => client.write(bytes));
    server.on("close", () => client.destroy());
    client.on("close", () => {
      if (!done) server.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy!.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((proxy.address() as { port: number }).port);
  return through.href;
}

async function cutAtCommit(cut: Cut) {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const store = createFolderStore(temporaryFolder());
  const settings = { statementTimeoutMs: cut.backAfterMs === undefined && !cut.reachable ? 2_000 : 60_000 };
  const belay = testBelay({ database: await cuttingProxy(database.url, cut), store, settings });
  const result = await executeRollback(belay, { migration: pair.name, reason: "test" }).catch((error) => error);
  const records = () => run(database.url, "select outcome, error_code from belay.rollbacks order by started_at");
  return { database, before, result, records, direct: testBelay({ database: database.url, store }) };
}

test("COMMIT is durable before it is answered, also where the database has it otherwise", async () => {
  const database = await createDatabase();
  await run(database.url, `alter database ${database.name} set synchronous_commit = off`);
  const shown = await withDatabase(database.url, async (session) => {
    await beginLimited(session, testBelay({ database: database.url }).settings);
    return session.run("show synchronous_commit");
  });
  expect([...shown]).toEqual([{ synchronous_commit: "on" }]);
  await database.drop();
});

describe("the answer to COMMIT is lost", () => {
  test("and the server had committed: the rollback is reported as done, and can be undone", async () => {
    const { database, before, result, records, direct } = await cutAtCommit({ delivered: true, reachable: true });
    expect(result).toMatchObject({ outcome: "committed" });
    expect(await records()).toEqual([{ outcome: "committed", error_code: null }]);
    expect(await run(database.url, "select to_regclass('notes')::text as found")).toEqual([{ found: null }]);
    await undoRollback(direct, { rollbackId: result.rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("and the server had not committed: it failed, and nothing changed", async () => {
    const { database, before, result, records } = await cutAtCommit({ delivered: false, reachable: true });
    expect(result).toBeInstanceOf(Error);
    expect(await photograph(database.url)).toEqual(before);
    expect(await records()).toEqual([{ outcome: "failed", error_code: expect.any(String) }]);
    await database.drop();
  });

  test.each([
    { delivered: true, outcome: "committed" },
    { delivered: false, outcome: "failed" },
  ])(
    "and the server answers again after a while (in truth $outcome): the command itself settles it",
    async ({ delivered, outcome }) => {
      const { database, result, records } = await cutAtCommit({ delivered, reachable: false, backAfterMs: 1_500 });
      expect(result).toMatchObject(delivered ? { outcome } : { code: "connection_lost" });
      expect((await records())[0]!.outcome).toBe(outcome);
      await database.drop();
    },
  );

  test.each([
    { delivered: true, outcome: "committed" },
    { delivered: false, outcome: "failed" },
  ])(
    "and the server cannot be asked (in truth $outcome): unknown, and settled later",
    async ({ delivered, outcome }) => {
      const { database, result, records } = await cutAtCommit({ delivered, reachable: false });
      expect(result).toMatchObject({ code: "connection_lost", details: { outcome: "unknown" } });
      await expect
        .poll(
          async () => {
            await withDatabase(database.url, settleEarlierAttempts);
            return (await records())[0]!.outcome;
          },
          { timeout: 10_000 },
        )
        .toBe(outcome);
      await database.drop();
    },
  );
});
