import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableDigest } from "../../shared/archive/table-digest.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { errorOf } from "./support.ts";

const here = "create type mood as enum ('sad', 'ok'); create type pair as (a integer, b mood);";
/** The same types with other oids, and labels in another order of creation. */
const there =
  "create type x as enum ('a'); create type mood as enum ('ok', 'sad'); create type pair as (a integer, b mood);";

let databases: TestDatabase[] = [];
let one: Session;
let other: Session;
beforeAll(async () => {
  databases = await Promise.all([createDatabase({ sql: here }), createDatabase({ sql: there })]);
  one = await openSession(databases[0]!.url);
  other = await openSession(databases[1]!.url, { parameters: { lc_monetary: "C" } });
  await other.run(
    "set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set extra_float_digits = 0; set bytea_output = escape",
  );
});
afterAll(async () => {
  for (const session of [one, other]) await session?.close();
  for (const database of databases) await database.drop();
});

const digest = (session: Session, columns: string[], where?: string) =>
  tableDigest(session, { schema: "public", table: "t", columns, where });

async function withTables<T>(first: string, second: string, body: () => Promise<T>): Promise<T> {
  await one.run(`drop table if exists t; ${first}`);
  await other.run(`drop table if exists t; ${second}`);
  return await body();
}

describe("the digest of a table's rows", () => {
  test("is the same in another database: other order of columns and rows, other oids, other settings", async () => {
    const values = `i, i::text || 'x', array['sad', 'ok']::mood[], 'sad'::mood, row(i, 'ok')::pair, i::numeric / 7,
      i / 7.0::float8, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', i * interval '1 month 3 days',
      jsonb_build_object('a', i), decode(md5(i::text), 'hex'), date '2024-01-01' + i, null::text, 'pg_class'::regclass`;
    const columns =
      "i integer, s text, moods mood[], mood mood, pair pair, n numeric, f double precision, at timestamptz, span interval, doc jsonb, bytes bytea, day date, nothing text, class regclass";
    const reversed = columns.split(", ").reverse().join(", ");
    const names = columns.split(", ").map((column) => column.split(" ")[0]!);
    await withTables(
      `create table t (${columns}); insert into t select ${values} from generate_series(1, 200) i`,
      `create table t (dropped text, ${reversed}); alter table t drop column dropped;
       insert into t (${names.join(", ")}) select ${values} from generate_series(200, 1, -1) i`,
      async () => {
        const expected = await digest(one, names);
        expect(expected.rows).toBe(200);
        expect(await digest(other, [...names].reverse())).toEqual(expected);
      },
    );
  });

  const pairs: [string, string, string, string][] = [
    ["1.0 and 1.00", "numeric", "1.0", "1.00"],
    ["1.0 and 1.00 inside jsonb", "jsonb", `'{"a": 1.0}'`, `'{"a": 1.00}'`],
    ["30 days and one month", "interval", "'30 days'", "'1 month'"],
    ["0 and minus 0", "double precision", "0", "'-0'"],
    ["the text null and no value", "text", "'null'", "null"],
    ["an empty text and no value", "text", "''", "null"],
    ["upper and lower case", "text", "'a'", "'A'"],
    ["two points", "point", "'(1,2)'", "'(1,3)'"],
    ["two bit strings", "bit(3)", "b'101'", "b'100'"],
    ["two sums of money", "money", "1.10", "1.20"],
  ];
  test.each(pairs)("tells %s apart", async (_, type, first, second) => {
    await withTables(
      `create table t (v ${type}); insert into t values (${first})`,
      `create table t (v ${type}); insert into t values (${second})`,
      async () => expect((await digest(one, ["v"])).digest).not.toBe((await digest(other, ["v"])).digest),
    );
  });

  test("tells case apart under a collation that does not", async () => {
    const make = (
      value: string,
    ) => `create collation if not exists nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table t (v text collate nocase); insert into t values ('${value}')`;
    await withTables(make("a"), make("A"), async () =>
      expect((await digest(one, ["v"])).digest).not.toBe((await digest(other, ["v"])).digest),
    );
  });

  test("counts rows that occur twice", async () => {
    await withTables(
      "create table t (v integer); insert into t values (1), (1)",
      "create table t (v integer)",
      async () => {
        expect((await digest(one, ["v"])).digest).not.toBe("0");
        expect(await digest(other, ["v"])).toEqual({ rows: 0, digest: "0" });
      },
    );
  });

  test("does not confuse values that change places", async () => {
    await withTables(
      "create table t (a text, b text); insert into t values ('x', 'y')",
      "create table t (a text, b text); insert into t values ('y', 'x')",
      async () => expect((await digest(one, ["a", "b"])).digest).not.toBe((await digest(other, ["a", "b"])).digest),
    );
  });

  test("counts the rows of a table without columns", async () => {
    await withTables("create table t (); insert into t default values", "create table t ()", async () => {
      expect((await digest(one, [])).rows).toBe(1);
      expect((await digest(other, [])).rows).toBe(0);
    });
  });

  test("leaves out children and rows outside the condition", async () => {
    await withTables(
      "create table t (v integer); create table u () inherits (t); insert into u values (9); insert into t values (1), (2)",
      "create table t (v integer); insert into t values (2)",
      async () => expect(await digest(one, ["v"], "v > 1")).toEqual(await digest(other, ["v"])),
    );
    await one.run("drop table t cascade");
  });

  test("leaves the session's settings as they were", async () => {
    await withTables("create table t (v integer)", "create table t (v integer)", () => digest(other, ["v"]));
    const [row] = await other.sql`select current_setting('timezone') as zone, current_setting('search_path') as path`;
    expect(row).toEqual({ zone: "Asia/Tokyo", path: '"$user", public' });
  });

  test("a missing column or table is an error that names it", async () => {
    await withTables("create table t (v integer)", "create table t (v integer)", async () => {
      expect((await errorOf(digest(one, ["absent"]))).message).toContain("absent");
      const gone = tableDigest(one, { schema: "public", table: "gone", columns: [] });
      expect((await errorOf(gone)).message).toContain("gone");
    });
  });

  test("a role that policies hide rows from gets row_security, not a smaller digest", async () => {
    await one.run(`drop table if exists t; create table t (v integer); insert into t values (1), (2);
      alter table t enable row level security; create policy p on t using (v = 1);
      do $$ begin create role belay_digest_plain login; exception when duplicate_object then null; end $$; grant select on t to belay_digest_plain`);
    const url = new URL(databases[0]!.url);
    url.username = "belay_digest_plain";
    await one.run("set role belay_digest_plain");
    expect((await errorOf(digest(one, ["v"]))).code).toBe("row_security");
    await one.run("reset role; drop table t; drop role belay_digest_plain");
  });
});
