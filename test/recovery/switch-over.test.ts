import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Databases, switchBackSql, switchOver } from "../../recovery/switch-over.ts";
import { allowWriters, stopWriters } from "../../recovery/writers.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { withDatabase } from "../../shared/postgres/url.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";

let live: TestDatabase;
let restored: TestDatabase;
let server: Session;
let names: Databases;

beforeEach(async () => {
  [live, restored] = [await createDatabase(), await createDatabase()];
  server = await openSession(withDatabase(live.url, "postgres"));
  names = { live: live.name, restored: restored.name, aside: `${live.name}_aside` };
  await runSql(live.url, "create table which (name text); insert into which values ('live')");
  await runSql(restored.url, "create table which (name text); insert into which values ('restored')");
});
afterEach(async () => {
  await server.run(`drop database if exists "${names.aside}" with (force)`);
  await server.close();
  await Promise.all([live.drop(), restored.drop()]);
});

const whichIs = async (url: string) => {
  const session = await openSession(url);
  try {
    const [row] = await session.sql`select name, current_setting('transaction_read_only') as "readOnly" from which`;
    return { name: row!.name, readOnly: row!.readOnly };
  } finally {
    await session.close();
  }
};

describe("stopping writers", () => {
  it("ends the sessions that are there, spares our own, and lets new ones read only", async () => {
    const [writer, own] = [await openSession(live.url), await openSession(live.url)];
    const { ended } = await stopWriters(server, live.name, [own.pid]);
    expect(ended).toBe(1);
    await expect(writer.run("select 1")).rejects.toThrow();
    await own.run("insert into which values ('by us')");
    const late = await openSession(live.url);
    await expect(late.run("insert into which values ('late')")).rejects.toThrow(/read-only/);
    await Promise.all([own.close(), late.close(), writer.destroy()]);
    await allowWriters(server, live.name);
    await runSql(live.url, "insert into which values ('again')");
  });
});

describe("switching over", () => {
  it("gives the restored database the live name in one transaction, and keeps the former one read only", async () => {
    await stopWriters(server, live.name, []);
    await switchOver(server, names);
    expect(await whichIs(live.url)).toEqual({ name: "restored", readOnly: "off" });
    expect(await whichIs(withDatabase(live.url, names.aside))).toEqual({ name: "live", readOnly: "on" });
  });

  it("is taken back by the SQL of the report", async () => {
    await stopWriters(server, live.name, []);
    await switchOver(server, names);
    for (const statement of switchBackSql(names)) await server.run(statement);
    expect(await whichIs(live.url)).toEqual({ name: "live", readOnly: "off" });
    expect(await whichIs(restored.url)).toEqual({ name: "restored", readOnly: "off" });
  });

  it("succeeds although clients keep coming back for a while", async () => {
    let coming = true;
    const client = (async () => {
      while (coming) {
        const session = await openSession(live.url).catch(() => null);
        await session?.run("select pg_sleep(0.05)").catch(() => {});
        await session?.destroy();
      }
    })();
    const stop = setTimeout(() => {
      coming = false;
    }, 1_000);
    await switchOver(server, names);
    coming = false;
    clearTimeout(stop);
    await client;
    expect((await whichIs(live.url)).name).toBe("restored");
  });

  it("changes nothing when a name is taken", async () => {
    await expect(switchOver(server, { ...names, aside: "postgres" })).rejects.toMatchObject({ code: "database_error" });
    expect((await whichIs(live.url)).name).toBe("live");
    expect((await whichIs(restored.url)).name).toBe("restored");
  });
});
