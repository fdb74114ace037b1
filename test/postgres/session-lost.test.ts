import { expect, test } from "vitest";
import { startWireProxy } from "../../dev/faults/proxy/wire.ts";
import { openSession, type SessionOptions } from "../../shared/postgres/session.ts";
import { serverUrl } from "../support/postgres.ts";

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
