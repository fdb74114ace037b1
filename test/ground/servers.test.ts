import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../shared/store/open.ts";
import { createDebianDatabase, describeWithDebian, pgDump, psql } from "../support/debian.ts";
import { createDatabase } from "../support/postgres.ts";
import { startTestS3, testBucket } from "../support/s3.ts";

describe("the test servers", () => {
  it("give each test a database of its own, gone after drop", async () => {
    const database = await createDatabase({ sql: "create table t (a int); insert into t values (1), (2)" });
    const sql = postgres(database.url, { max: 1 });
    expect((await sql`select count(*)::int as rows from t`)[0]).toEqual({ rows: 2 });
    await sql.end();
    await database.drop();
    const after = postgres(database.url, { max: 1, onclose: () => {} });
    await expect(after`select 1`).rejects.toMatchObject({ code: "3D000" });
    await after.end();
  });

  it.each([15, 18] as const)("offer PostgreSQL %i beside the default", async (major) => {
    const database = await createDatabase({ major });
    const sql = postgres(database.url, { max: 1 });
    const [row] = await sql`select current_setting('server_version_num')::int / 10000 as major`;
    await sql.end();
    await database.drop();
    expect(row).toEqual({ major });
  });

  it("refuse a wrong password", async () => {
    const database = await createDatabase();
    const url = new URL(database.url);
    url.password = "wrong";
    const sql = postgres(url.href, { max: 1 });
    await expect(sql`select 1`).rejects.toMatchObject({ code: "28P01" });
    await sql.end();
    await database.drop();
  });

  it("keep objects over S3", async () => {
    const bucket = testBucket();
    const store = openStore(bucket.url, bucket.credentials);
    await store.write("a/b", once(new Uint8Array([1, 2, 3])));
    expect(await store.head("a/b")).toMatchObject({ key: "a/b", size: 3 });
  });

  it("fail an S3 upload in its middle while a fault is set, and only then", async () => {
    const s3 = await startTestS3();
    onTestFinished(() => s3.stop());
    const store = openStore(s3.storeUrl("x"), s3);
    const body = new Uint8Array(300_000);
    s3.setFault({ kind: "500", keyContains: ".dat", afterBytes: 1_000 });
    await expect(store.write("a.dat", once(body))).rejects.toThrow();
    expect(await store.head("a.dat")).toBeNull();
    s3.setFault(null);
    expect(await store.write("a.dat", once(body))).toBe(300_000);
  });
});

describeWithDebian("Debian's PostgreSQL", () => {
  it("serves databases, and its pg_dump and psql work on them", async () => {
    const database = await createDebianDatabase();
    await psql(database.url, "create table t (a int);");
    expect(await pgDump(database.url, "-s")).toContain("CREATE TABLE public.t");
    await database.drop();
  });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
