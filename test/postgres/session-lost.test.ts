import { expect, test } from "vitest";
import { startWireProxy } from "../../dev/faults/proxy/wire.ts";
import { copyIn, copyOut } from "../../shared/postgres/copy.ts";
import { openSession, type SessionOptions } from "../../shared/postgres/session.ts";
import { serverUrl } from "../support/postgres.ts";
import { proxied } from "../support/proxied.ts";

async function throughProxy(options: SessionOptions = {}) {
  const place = new URL(await serverUrl());
  const port = Number(place.port);
  let connections = 0;
  const proxy = await startWireProxy(() => {
    connections += 1;
    return port;
  });
  place.port = String(proxy.port);
  const session = await openSession(place.href, options);
  return { proxy, session, connections: () => connections };
}

test("what waits in the queue of a lost connection is refused, and no new connection is made for it", async () => {
  const { proxy, session, connections } = await throughProxy();
  const asked = [session.run("select pg_sleep(5)"), session.sql`select 1`, session.sql`select 2`].map((query) =>
    Promise.resolve(query).then(
      () => "answered",
      () => "refused",
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const link of proxy.links) link.break("cut");
  expect(await Promise.all(asked)).toEqual(["refused", "refused", "refused"]);
  expect(session.alive).toBe(false);
  await expect(session.sql`select 3`).rejects.toMatchObject({ code: "connection_lost" });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(connections()).toBe(1);
  await session.close();
  proxy.close();
});

test("however much waits in the queue of a connection that falls silent, all of it is refused", async () => {
  const { proxy, session } = await throughProxy({ silenceMs: 1_000 });
  for (const link of proxy.links) link.break("frozen");
  const { sql } = session;
  const lives = [sql`select 1`, sql`select 1`, sql`select ${1}::int`, sql`select ${2}::int`, session.run("select 3")];
  const asked = lives.map(async (query) => await query);
  for (const one of asked) await expect(one).rejects.toThrow(/silent|closed|CONNECTION/);
  await session.close();
  proxy.close();
});

test("a server that stops answering while a session is opened is told as lost", async () => {
  const { proxy, url } = await proxied(await serverUrl());
  proxy.watch(({ sql }, when) => {
    if (when === "before" && sql.includes("set_config")) for (const link of proxy.links) link.break("frozen");
  });
  await expect(openSession(url, { connectTimeoutSeconds: 1 })).rejects.toMatchObject({
    code: "connection_lost",
  });
  proxy.close();
});

test("a lost connection refuses every kind of query without an error that nobody hears", async () => {
  const { proxy, session } = await throughProxy();
  for (const link of proxy.links) link.break("cut");
  await expect.poll(() => session.alive).toBe(false);
  const lost = { code: "connection_lost" };
  // As many readers do it at once: the first has begun when the second is asked.
  const first = async () => session.sql`select 1`;
  const both = async () => Promise.all([first(), session.sql.unsafe("select 2"), session.run("select 3")]);
  await expect(both()).rejects.toMatchObject(lost);
  await expect(session.sql.unsafe("select 1", [1]).values()).rejects.toMatchObject(lost);
  await expect(copyOut(session, "copy (select 1) to stdout").next()).rejects.toMatchObject(lost);
  await expect(copyIn(session, "copy t from stdin", (async function* () {})())).rejects.toMatchObject(lost);
  const since = performance.now();
  await session.close();
  expect(performance.now() - since).toBeLessThan(1_000);
  proxy.close();
});

test("an answer to the first of several requests does not make the silence after it any longer", async () => {
  const { proxy, session } = await throughProxy({ silenceMs: 1_000 });
  const both = [session.sql`select 1`, session.sql`select pg_sleep(0.5)`].map(async (query) => await query);
  await both[0];
  for (const link of proxy.links) link.break("frozen");
  await expect(both[1]).rejects.toMatchObject({ code: "CONNECTION_SILENT" });
  await session.close();
  proxy.close();
});

test("a connection that says nothing is lost after the time that it was given; silence with nothing asked is none", async () => {
  const { proxy, session } = await throughProxy({ silenceMs: 1_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_600));
  expect(session.alive).toBe(true);
  for (const link of proxy.links) link.break("frozen");
  const since = performance.now();
  await expect(session.sql`select 1`).rejects.toMatchObject({ code: "CONNECTION_SILENT" });
  expect(performance.now() - since).toBeLessThan(10_000);
  expect(session.alive).toBe(false);
  await session.close();
  proxy.close();
});
