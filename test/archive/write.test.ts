import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { tableDigest } from "../../shared/archive/table-digest.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { openStore } from "../../shared/store/open.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { startFaultProxy } from "../store/fault-proxy.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";
import { startTestS3 } from "../support/s3.ts";
import { errorOf, keysIn } from "./support.ts";

const schema = `
  create table customers (id integer primary key, name text);
  create table orders (id bigint generated always as identity primary key, customer integer references customers, note text);
  insert into customers select i, 'customer ' || i from generate_series(1, 2000) i;
  insert into orders (customer, note) select 1 + i % 2000, string_agg(md5((i * j)::text), '') from generate_series(1, 60000) i,
    generate_series(1, 10) j group by i;
  create index on orders (customer);
  create view recent as select * from orders where id > 100;`;

let database: TestDatabase;
let s3: Awaited<ReturnType<typeof startTestS3>>;
beforeAll(async () => {
  [database, s3] = await Promise.all([createDatabase({ sql: schema }), startTestS3({ bucket: "archives" })]);
});
afterAll(async () => {
  await database?.drop();
  await s3?.stop();
});

const s3Store = (endpoint: string, prefix: string) =>
  openStore(`s3://archives/${prefix}?endpoint=${endpoint}`, { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" });

/** Sessions of ours that are still open on the database: readers and snapshots must not outlive a dump. */
async function openSessions(): Promise<number> {
  const session = await openSession(database.url);
  for (let tries = 0; ; tries += 1) {
    const [row] = await session.sql`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    if (row!.n === 0 || tries === 30) {
      await session.close();
      return row!.n;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("writing an archive", () => {
  test("to S3 in several parts: listed, verified, restored with the same counts and digests", async () => {
    const store = s3Store(s3.endpoint, "plain");
    const seen: string[] = [];
    const belay = testBelay({ database: database.url, store, report: ({ phase }) => seen.push(phase) });
    const manifest = await dumpDatabase(belay, { reason: "nightly" });
    expect(manifest.objects.reduce((sum, object) => Math.max(sum, object.bytes), 0)).toBeGreaterThan(9_000_000);
    expect(await listArchives(store)).toMatchObject([{ id: manifest.id, reason: "nightly", tables: 2, rows: 62_000 }]);
    expect((await verifyArchive(store, manifest.id)).problems).toEqual([]);
    expect(new Set(seen)).toEqual(new Set(["archive", "verify"]));
    const target = await createDatabase();
    const session = await openSession(target.url);
    await restoreArchive({ archive: await openArchive(manifest.id, { store }), url: target.url });
    for (const table of manifest.tables) {
      expect(await tableDigest(session, table)).toEqual({ rows: table.rows, digest: table.digest });
    }
    await session.close();
    await target.drop();
  });

  test("all tables are of one moment, while others write", async () => {
    const belay = testBelay({ database: database.url });
    let writing = true;
    const writer = (async () => {
      const session = await openSession(database.url);
      for (let i = 1; writing; i += 1) {
        await session.run(`begin; insert into customers values (${-i}, 'late');
          insert into orders (customer, note) values (${-i}, 'late'); commit`);
      }
      await session.close();
    })();
    const manifest = await dumpDatabase(belay, { reason: "consistent" });
    writing = false;
    await writer;
    const rows = Object.fromEntries(manifest.tables.map(({ table, rows }) => [table, rows]));
    expect(rows.orders! - 60_000).toBe(rows.customers! - 2_000);
    await runSql(database.url, "delete from orders where customer < 0; delete from customers where id < 0");
  });

  test.each([
    ["a part of an upload", (path: string) => path.includes("partNumber=2")],
    ["the table of contents", (path: string) => path.endsWith("/toc.dat?x-id=PutObject")],
    ["the manifest", (path: string) => path.endsWith("/manifest.json?x-id=PutObject")],
  ])("500 from the store at %s: store_failed, nothing listed, nothing left", async (name, hit) => {
    const proxy = await startFaultProxy(s3.endpoint, ({ method, path }) =>
      method === "PUT" && hit(path) ? { status: 500, code: "InternalError" } : undefined,
    );
    const prefix = `fault-${name.replaceAll(" ", "-")}`;
    const store = s3Store(proxy.endpoint, prefix);
    const failing = dumpDatabase(testBelay({ database: database.url, store }), { reason: "fault" });
    expect((await errorOf(failing)).code).toBe("store_failed");
    await proxy.close();
    expect(await listArchives(s3Store(s3.endpoint, prefix))).toEqual([]);
    expect(await keysIn(s3Store(s3.endpoint, prefix))).toEqual([]);
    expect(await openSessions()).toBe(0);
  });

  test("a store that keeps other bytes than it was given: archive_unverified, nothing left", async () => {
    const { store: honest } = testBelay({ database: database.url });
    const lying: ObjectStore = {
      ...honest,
      url: honest.url,
      read: async function* (key) {
        let first = true;
        for await (const chunk of honest.read(key)) {
          const copy = Uint8Array.from(chunk);
          if (first && key.endsWith(".gz")) copy[copy.length >> 1]! ^= 1;
          first = false;
          yield copy;
        }
      },
    };
    const failing = dumpDatabase(testBelay({ database: database.url, store: lying }), { reason: "lying" });
    expect(await errorOf(failing)).toMatchObject({ code: "archive_unverified" });
    expect(await keysIn(honest)).toEqual([]);
  });

  test("a connection lost in the middle: connection_lost, nothing left", async () => {
    const belay = testBelay({ database: database.url });
    const killer = await openSession(database.url);
    const cutting: ObjectStore = {
      ...belay.store,
      url: belay.store.url,
      write: async (key, chunks, options) => {
        const cut = async function* () {
          let bytes = 0;
          for await (const chunk of chunks) {
            bytes += chunk.length;
            if (bytes > 1_000_000)
              await killer.sql`select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'belay reader' and datname = current_database()`;
            yield chunk;
          }
        };
        return await belay.store.write(key, cut(), options);
      },
    };
    const failing = dumpDatabase({ ...belay, store: cutting }, { reason: "cut" });
    expect((await errorOf(failing)).code).toBe("connection_lost");
    expect(await keysIn(belay.store)).toEqual([]);
    await killer.close();
  });

  test("more rows than the budget: needs_worker, nothing left", async () => {
    const belay = testBelay({ database: database.url, settings: { archiveBudgetBytes: 1_000_000 } });
    expect(await errorOf(dumpDatabase(belay, { reason: "edge" }))).toMatchObject({ code: "needs_worker" });
    expect(await keysIn(belay.store)).toEqual([]);
    expect(await openSessions()).toBe(0);
  });

  test("killed in the middle: no archive is listed, and the next dump succeeds", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-killed-"));
    const program = `
      import { dumpDatabase } from ${JSON.stringify(new URL("../../shared/archive/write/dump.ts", import.meta.url).href)};
      import { parseSettings } from ${JSON.stringify(new URL("../../shared/config.ts", import.meta.url).href)};
      import { openSession } from ${JSON.stringify(new URL("../../shared/postgres/session.ts", import.meta.url).href)};
      import { createFolderStore } from ${JSON.stringify(new URL("../../shared/store/folder.ts", import.meta.url).href)};
      const database = ${JSON.stringify(database.url)};
      const store = createFolderStore(${JSON.stringify(folder)});
      const slow = { ...store, write: (key, chunks, options) => store.write(key, (async function* () {
        for await (const chunk of chunks) { yield chunk; await new Promise((done) => setTimeout(done, 50)); } })(), options) };
      await dumpDatabase({ settings: parseSettings({ database }), actor: "killed", store: slow, scratchUrl: null,
        openSession: (options) => openSession(database, options), report() {}, now: () => new Date() }, { reason: "killed" });`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
    const seen = async () =>
      existsSync(join(folder, "archives")) &&
      (await readdir(folder, { recursive: true })).some((name) => name.includes("unfinished"));
    while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = openStore(pathToFileURL(folder).href);
    expect(await listArchives(store)).toEqual([]);
    const manifest = await dumpDatabase(testBelay({ database: database.url, store }), { reason: "again" });
    expect((await listArchives(store)).map(({ id }) => id)).toEqual([manifest.id]);
    expect(await openSessions()).toBe(0);
    await rm(folder, { recursive: true });
  });

  test("a role whose view policies narrow gets row_security, never a smaller archive", async () => {
    const role = "belay_narrow";
    const guarded = await createDatabase({
      sql: `do $$ begin create role ${role} login; exception when duplicate_object then null; end $$;
        create table notes (id integer, owner_name text); insert into notes values (1, '${role}'), (2, 'x');
        alter table notes enable row level security; create policy own on notes using (owner_name = current_user);
        grant select on notes to ${role}`,
    });
    const url = new URL(guarded.url);
    url.username = role;
    const server = await openSession(guarded.url);
    await server.run(`alter role ${role} password 'secret'`);
    url.password = "secret";
    const belay = testBelay({ database: url.href });
    expect((await errorOf(dumpDatabase(belay, { reason: "narrow" }))).code).toBe("row_security");
    expect(await keysIn(belay.store)).toEqual([]);
    await server.run(`drop owned by ${role}; drop role ${role}`);
    await server.close();
    await guarded.drop();
  });
});
