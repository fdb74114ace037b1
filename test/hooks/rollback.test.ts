import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Settings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import { completePolicy, type PolicyFile } from "../../shared/rollback/plan/policy.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { apply, run } from "../rollback/helpers.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { soloFile } from "../support/policy.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { type Listener, listen, signedBy } from "./listener.ts";

const secret = `whsec_${Buffer.from("a secret of thirty-two bytes!!!!").toString("base64")}`;
const orders = {
  name: "20250102000000_orders",
  up: "create table orders (id int primary key, note text); insert into orders select n, 'secret note ' || n from generate_series(1, 100) n;",
  down: "drop table orders;",
};

let database: TestDatabase;
let store: ObjectStore;
let server: Listener;

beforeAll(async () => {
  database = await createDatabase();
  await apply(database.url, orders);
});
afterAll(() => database.drop());
afterEach(async () => {
  await server.close();
  await run(database.url, "update belay.maintenance set active = false");
});

/** Quick limits: what a test waits for is short. */
async function world(file: PolicyFile = {}, settings: Partial<Settings> = {}): Promise<Belay> {
  server = await listen();
  store = createFolderStore(temporaryFolder());
  return withServer(file, settings);
}

function withServer(file: PolicyFile = {}, settings: Partial<Settings> = {}): Belay {
  const policy = completePolicy({
    ...soloFile,
    ...file,
    hooks: { timeoutMs: 300, totalMs: 2_000, ...file.hooks },
    health: { timeoutMs: 300, attempts: 2, totalMs: 1_500, ...file.health },
  });
  return testBelay({ database: database.url, store, actor: "anna", settings: { policy, ...settings } });
}

const hooks = () => ({
  hookBefore: `${server.url}/before`,
  hookAfter: `${server.url}/after?key=hidden`,
  hookSecret: secret,
});
const request = { migration: orders.name, reason: "wrong release" };
const notes = async () => (await run(database.url, "select count(*)::int as n from orders"))[0]!.n;
const _gone = async () => (await run(database.url, "select to_regclass('orders') is null as gone"))[0]!.gone;

describe("hooks before and after", () => {
  it("are told, signed, with what begins and how it ended; undo tells them too", async () => {
    const belay = await world();
    const told = withServer({}, hooks());
    const ran = await rollBackWithHooks(told, request);
    expect(ran.around.hooks).toMatchObject([
      {
        hook: "before",
        state: "taken",
        status: 204,
        attempts: 1,
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      },
      { hook: "after", state: "taken", status: 204 },
    ]);
    const [before, after] = server.heard;
    expect([before!.path, after!.path]).toEqual(["/before", "/after?key=hidden"]);
    for (const heard of server.heard) expect(signedBy(heard, secret)).toBe(true);
    expect(signedBy({ ...before!, body: `${before!.body} ` }, secret)).toBe(false);
    expect(before!.headers).toMatchObject({
      "webhook-id": `belay_${ran.rollbackId}_before`,
      "content-type": "application/json",
    });
    expect(JSON.parse(before!.body)).toMatchObject({
      type: "belay.rollback.before",
      data: {
        rollbackId: ran.rollbackId,
        migrations: [orders.name],
        actor: "anna",
        reason: "wrong release",
        risk: "HIGH",
        rows: 100,
      },
    });
    expect(JSON.parse(after!.body)).toMatchObject({
      type: "belay.rollback.after",
      data: { outcome: "committed", archiveId: ran.archiveId },
    });

    const undo = await undoWithHooks(told, { rollbackId: ran.rollbackId, reason: "it was right" });
    expect(JSON.parse(server.heard[2]!.body)).toMatchObject({ type: "belay.undo.before", data: { kind: "undo" } });
    expect(JSON.parse(server.heard[3]!.body)).toMatchObject({
      type: "belay.undo.after",
      data: { outcome: "committed" },
    });
    expect(JSON.stringify([ran, undo, server.heard.map(({ body }) => body)])).not.toMatch(
      /secret note|key=hidden|whsec_/,
    );
    expect(await notes()).toBe(100);
    expect(belay.settings.hookBefore).toBeUndefined();
  });
});
