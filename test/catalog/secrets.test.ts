import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutSecrets } from "../../shared/catalog/secrets.ts";
import { readSnapshotById, readSnapshotCatalog, storeSnapshot } from "../../shared/catalog/snapshots.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

describe("withoutSecrets", () => {
  it("hides the options of a user mapping, and the connection of a subscription, whatever their names", () => {
    const mapping = `CREATE USER MAPPING FOR "a OPTIONS (b" SERVER far OPTIONS (\n    password 'it''s',\n    "user" E'x\\\\y'\n);\n`;
    expect(withoutSecrets({ kind: "USER MAPPING", create: mapping })).toBe(
      `CREATE USER MAPPING FOR "a OPTIONS (b" SERVER far OPTIONS (\n    password '(hidden)',\n    "user" '(hidden)'\n);\n`,
    );
    const subscription = `CREATE SUBSCRIPTION "a "" CONNECTION 'b" CONNECTION 'password=it''s' PUBLICATION p WITH (connect = false, slot_name = 's');\n`;
    expect(withoutSecrets({ kind: "SUBSCRIPTION", create: subscription })).toBe(
      `CREATE SUBSCRIPTION "a "" CONNECTION 'b" CONNECTION '(hidden)' PUBLICATION p WITH (connect = false, slot_name = 's');\n`,
    );
  });

  it("leaves every other entry as it is", () => {
    const create = "COMMENT ON TABLE public.t IS 'password';\n";
    expect(withoutSecrets({ kind: "COMMENT", create })).toBe(create);
    const bare = "CREATE USER MAPPING FOR public SERVER far;\n";
    expect(withoutSecrets({ kind: "USER MAPPING", create: bare })).toBe(bare);
  });
});

describe("a stored snapshot", () => {
  let database: TestDatabase;
  let session: Session;
  beforeAll(async () => {
    database = await createDatabase({
      sql: `create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;
        create user mapping for public server far options (user 'guest', password 'very secret');`,
    });
    session = await openSession(database.url);
    await installBelay(session);
  });
  afterAll(async () => {
    await session.close();
    await database.drop();
  });

  it("holds no password, and yet tells when one was changed", async () => {
    const before = await readSnapshotCatalog(session);
    const id = await storeSnapshot(session, before, { migration: null, moment: "manual", origin: "live" });
    const [found] =
      await session.sql`select count(*)::int as rows from belay.snapshot_entries where entry::text like '%very secret%'`;
    expect(found?.rows).toBe(0);
    const stored = await readSnapshotById(session, id);
    expect(stored.digest).toBe(before.digest);
    await session.run("alter user mapping for public server far options (set password 'another')");
    const after = await readSnapshotCatalog(session);
    const changed = after.entries.filter(({ key, hash }) =>
      stored.entries.some((one) => one.key === key && one.hash !== hash),
    );
    expect(changed.map(({ kind }) => kind)).toEqual(["USER MAPPING"]);
  });
});
