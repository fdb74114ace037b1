import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Guide, planRunbook, runFullRestore } from "../../recovery/full-restore.ts";
import { type StepName, type StepOutcome, stepNames } from "../../recovery/types.ts";
import { readManifest } from "../../shared/archive/list.ts";
import { archiveKey } from "../../shared/archive/names.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import type { Belay } from "../../shared/context.ts";
import { BelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { withDatabase } from "../../shared/postgres/url.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let belay: Belay;
let archiveId: string;
const reason = "orders were overwritten";

beforeEach(async () => {
  database = await createDatabase({
    sql: `create table orders (id serial primary key, total numeric);
      create table lines (order_id int references orders, line text);
      insert into orders (total) select n from generate_series(1, 500) n;
      insert into lines select n, 'line' from generate_series(1, 500) n;`,
  });
  belay = testBelay({ database: database.url });
  archiveId = (await dumpDatabase(belay, { reason: "nightly" })).id;
  await runSql(
    database.url,
    "update orders set total = 0; insert into orders (total) values (7); create table later (n int)",
  );
});
afterEach(async () => {
  const server = withDatabase(database.url, "postgres");
  for (const name of await databases())
    if (name !== database.name) await runSql(server, `drop database "${name}" with (force)`);
  await database.drop();
});

describe("a full restore", () => {
  it("puts the backup in the live database's place; what was newer is in today's archive and in files", async () => {
    const heard: StepOutcome[] = [];
    const report = await runFullRestore(belay, { archiveId: "latest", reason }, guide({ heard }));
    expect(heard.map(({ name, state }) => `${name} ${state}`)).toEqual(allDone);
    expect(report).toMatchObject({ switched: true, reason, plan: { archiveId } });
    expect(await total()).toBe(125_250);
    expect(report.newerRows?.tables).toMatchObject([{ table: "orders", new: 1, changed: 500, deleted: 0 }]);
    expect(
      (await readManifest(belay.store, report.todaysArchive!)).tables.find(({ table }) => table === "orders")?.rows,
    ).toBe(501);
    await runSql(database.url, "insert into orders (total) values (1)");
    expect(await databases()).toEqual([database.name, report.plan.aside].sort());
    await runSql(withDatabase(database.url, "postgres"), `drop database ${database.name} with (force)`);
    for (const sql of [`ALTER DATABASE ${report.plan.aside} RENAME TO ${database.name}`])
      await runSql(withDatabase(database.url, "postgres"), sql);
    expect(await total()).toBe(7);
  });

  it("is a plan first, which changes nothing and names what earlier ones left", async () => {
    const server = withDatabase(database.url, "postgres");
    await runSql(server, `create database "${database.name}_before_x"; `);
    await runSql(server, `alter database ${database.name} set default_transaction_read_only = on`);
    const plan = await planRunbook(belay, { archiveId });
    expect(plan.steps.filter(({ downtime }) => downtime).map(({ name }) => name)).toEqual([
      "stop_writers",
      "export_newer",
      "switch_over",
      "verify",
    ]);
    expect(plan.notes.join("\n")).toMatch(
      /is read only, perhaps since a full restore that was cut off[\s\S]*_before_x is left/,
    );
    expect(await databases()).toEqual([database.name, `${database.name}_before_x`]);
  });

  const declinable = ["restore_beside", "stop_writers", "switch_over"] as const;
  it.each(declinable)(
    "that is declined at %s leaves the live database as it was, and writers may write",
    async (step) => {
      const heard: StepOutcome[] = [];
      const report = await runFullRestore(belay, { archiveId, reason }, guide({ declineAt: step, heard }));
      expect(report.switched).toBe(false);
      expect(heard.at(-1)).toMatchObject({ name: step, state: "declined" });
      expect(report.outcomes.at(-1)?.state).toBe("not_reached");
      await runSql(database.url, "insert into orders (total) values (3)");
      expect(await total()).toBe(10);
    },
  );

  it("whose store dies after the switch still says how to go back", async () => {
    let dead = false;
    const write: Belay["store"]["write"] = (...words) =>
      dead ? Promise.reject(new BelayError("store_unreachable", "the store is gone")) : belay.store.write(...words);
    const store = { ...belay.store, write };
    const heard = ({ name }: StepOutcome) => {
      dead ||= name === "switch_over";
    };
    const report = await runFullRestore({ ...belay, store }, { archiveId, reason }, { ...guide({}), heard });
    expect(report).toMatchObject({ switched: true, warnings: ["the report is not in the store: the store is gone"] });
    expect(report.switchBack.join("\n")).toContain(`RENAME TO ${database.name}`);
  });

  it("of a damaged backup ends before any writer is stopped", async () => {
    const manifest = await readManifest(belay.store, archiveId);
    const { file } = manifest.tables.find(({ table }) => table === "orders")!;
    await damage(belay, archiveKey(archiveId, file));
    expect((await verifyArchive(belay.store, archiveId)).problems).not.toEqual([]);
    const report = await runFullRestore(belay, { archiveId, reason }, guide({}));
    expect(report.outcomes.find(({ state }) => state === "failed")?.name).toBe("restore_beside");
    expect(report.downtimeSeconds).toBeNull();
    await runSql(database.url, "insert into orders (total) values (3)");
  });

  it("takes no archive of a single rollback, and none that is not there", async () => {
    await expect(planRunbook(belay, { archiveId: "dump-none" })).rejects.toMatchObject({ code: "unknown_archive" });
    const empty = testBelay({ database: database.url });
    await expect(planRunbook(empty, { archiveId: "latest" })).rejects.toMatchObject({ code: "unknown_archive" });
  });
});

const allDone = stepNames.map((name) => `${name} done`);

function guide({ declineAt, heard = [] }: { declineAt?: StepName; heard?: StepOutcome[] }): Guide {
  return {
    agree: async (step) => step.name !== declineAt,
    heard: (outcome) => {
      heard.push(outcome);
    },
  };
}

async function total(): Promise<number> {
  const session = await openSession(database.url);
  try {
    const [row] = await session.sql`select sum(total)::float8 as total from orders`;
    return row!.total;
  } finally {
    await session.close();
  }
}

async function databases(): Promise<string[]> {
  const session = await openSession(withDatabase(database.url, "postgres"));
  try {
    const rows =
      await session.sql`select datname as name from pg_database where starts_with(datname, ${database.name}) order by 1`;
    return rows.map(({ name }) => name as string).sort();
  } finally {
    await session.close();
  }
}

/** Flips one byte in the middle. */
async function damage(belay: Belay, key: string): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of belay.store.read(key)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
  await belay.store.delete(key);
  await belay.store.write(
    key,
    (async function* () {
      yield bytes;
    })(),
  );
}
