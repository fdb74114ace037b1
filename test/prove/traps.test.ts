import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { namesRole } from "../../shared/migrations/prove/roles.ts";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { runSql, serverUrl } from "../support/postgres.ts";
import { folderOf, proofsOf, proveCases, provePairs } from "./support.ts";

const cases = {
  "settings that a file leaves behind": [
    "create table shop_a (id int); select pg_catalog.set_config('search_path', '', false)",
    "set search_path = ''; set role pg_monitor; reset role; drop table public.shop_a",
  ],
  "after settings that a file left behind": ["create table shop_b (id int)", "drop table shop_b"],
  "a role that a file leaves set": [
    "create table shop_c (id int); set role pg_monitor",
    "set role pg_monitor; reset role; drop table shop_c",
  ],
  "after a role that a file left set": ["create table shop_d (id int)", "drop table shop_d"],
  "discard all": ["create table shop_e (id int)", "discard all"],
  "a transaction around the file": [
    "begin;\ncreate table shop_f (id int);\ncommit;",
    "BEGIN;\ndrop table shop_f;\nCOMMIT;",
  ],
  "transactions of its own": [
    "create table shop_g (id int); commit; create table shop_h (id int)",
    "drop table shop_g; commit; drop table shop_h",
  ],
  "a transaction that is never ended": ["begin; create table shop_i (id int)", "select 1"],
  "an index made concurrently": ["create index concurrently shop_j on shop (name)", "drop index concurrently shop_j"],
  "several statements about concurrently": [
    "create index concurrently shop_k on shop (name); create index concurrently shop_l on shop (price)",
    "drop index concurrently shop_k; drop index concurrently shop_l",
  ],
  "concurrently among others in a rollback": [
    "alter table shop drop column price",
    "alter table shop add column price int; create index concurrently shop_m on shop (price); drop index shop_m",
  ],
  "an invalid index left behind": ["select 1", "create unique index concurrently shop_n on shop ((1))"],
  "vacuum in a rollback": ["create index shop_o on shop (name)", "drop index shop_o; vacuum shop"],
  "a new label used at once": ["create type shop_mood as enum ('sad')", "drop type shop_mood"],
  "a label added and used in one file": [
    "create type shop_tone as enum ('low'); alter type shop_tone add value 'high'; create table shop_p (t shop_tone default 'high')",
    "drop table shop_p; drop type shop_tone",
  ],
  "triggers that wait for the end": [
    "create table shop_q (id int primary key, up int references shop_q deferrable initially deferred)",
    "insert into shop_q values (1, 2); alter table shop_q add column x int; drop table shop_q",
  ],
  "a constraint that fails at the end alone": [
    "create table shop_r (id int primary key); create table shop_s (id int references shop_r deferrable initially deferred)",
    "insert into shop_s values (5)",
  ],
  "a temporary table like the server's own": [
    "create table shop_t (id int)",
    "create temp table pg_class (x int); create temp table pg_namespace (y int); drop table shop_t",
  ],
  "rows with numbers": ["insert into shop (name) values ('d')", "delete from shop where id = 4"],
  "rows that count on those numbers": [
    "create table shop_u (id serial primary key); insert into shop_u default values; insert into shop_u default values",
    "delete from shop_u; insert into shop_u default values; drop table shop_u",
  ],
  "psql's commands": ["create table shop_v (id int)", "-- by hand\n\\connect other\ndrop table shop_v;"],
  "rows for the client": ["create table shop_w (id int)", "copy shop_w from stdin;\n1\n\\.\ndrop table shop_w;"],
  "copy to the client": ["create table shop_x (id int)", "copy shop_x to stdout; drop table shop_x"],
  "dropping the database": [
    "create table shop_y (id int)",
    "do $$ begin execute 'drop database ' || quote_ident(current_database()); end $$",
  ],
  "a session ended by its own rollback": [
    "create table shop_aa (id int)",
    "drop table shop_aa; select pg_terminate_backend(pg_backend_pid())",
  ],
  "savepoints without a transaction of its own": [
    "savepoint a; create table shop_ab (id int); release savepoint a",
    "savepoint b; drop table shop_ab; rollback to b; drop table shop_ab",
  ],
  "rows that meet their parent at the end alone": [
    `create table shop_ac (id int primary key); create table shop_ad (id int references shop_ac deferrable initially deferred);
     insert into shop_ad values (1); insert into shop_ac values (1)`,
    "drop table shop_ad; drop table shop_ac",
  ],
  "a statement that a file prepares": [
    "prepare shop_ae as select 1; create table shop_af (id int)",
    "drop table shop_af",
  ],
  "the same statement prepared again": ["prepare shop_ae as select 1", "prepare shop_ae as select 2"],
  "a temporary table in both files": [
    "create temp table shop_ag (id int); create table shop_ah (id int)",
    "create temp table shop_ag (id int); drop table shop_ah",
  ],
  "settings of the database for later sessions": [
    "do $$ begin execute format('alter database %I set search_path to nowhere', current_database()); end $$",
    "do $$ begin execute format('alter database %I reset search_path', current_database()); end $$",
  ],
  "after settings of the database": ["create table shop_ai (id int)", "drop table shop_ai"],
  "the settings taken back": [
    "do $$ begin execute format('alter database %I reset all', current_database()); end $$",
    "",
  ],
  "after all that": ["alter table shop add column z int", "alter table shop drop column z"],
} as const;

describe("proving SQL that would trap a rehearsal", () => {
  let proofs: Readonly<Record<keyof typeof cases, Proof>>;

  beforeAll(async () => {
    proofs = await proveCases(cases);
  });

  it.each([
    ["settings that a file leaves behind", "exact"],
    ["after settings that a file left behind", "exact"],
    ["a role that a file leaves set", "exact"],
    ["after a role that a file left set", "exact"],
    ["discard all", "noop"],
    ["a transaction around the file", "exact"],
    ["transactions of its own", "exact"],
    ["an index made concurrently", "exact"],
    ["several statements about concurrently", "exact"],
    ["concurrently among others in a rollback", "fails"],
    ["vacuum in a rollback", "fails"],
    ["a new label used at once", "exact"],
    ["a label added and used in one file", "exact"],
    ["a constraint that fails at the end alone", "fails"],
    ["a temporary table like the server's own", "exact"],
    ["rows with numbers", "exact"],
    ["rows that count on those numbers", "exact"],
    ["psql's commands", "fails"],
    ["rows for the client", "fails"],
    ["copy to the client", "fails"],
    ["dropping the database", "fails"],
    ["a session ended by its own rollback", "fails"],
    ["savepoints without a transaction of its own", "exact"],
    ["rows that meet their parent at the end alone", "exact"],
    ["a statement that a file prepares", "exact"],
    ["the same statement prepared again", "exact"],
    ["a temporary table in both files", "exact"],
    ["settings of the database for later sessions", "exact"],
    ["after settings of the database", "up-fails"],
    ["the settings taken back", "exact"],
    ["after all that", "exact"],
  ] as const)("%s: %s", (name, verdict) => {
    expect(proofs[name], proofs[name].message).toMatchObject({ verdict });
  });

  it("names psql's commands with their place", () => {
    expect(proofs["psql's commands"].error).toMatchObject({ line: 2, column: 1, code: null });
    expect(proofs["psql's commands"].message).toContain("\\connect other is a command of psql");
    expect(proofs["rows for the client"].error).toMatchObject({ line: 1, message: expect.stringContaining("COPY") });
  });

  it("takes nothing that was not committed for a migration", () => {
    expect(proofs["a transaction that is never ended"]).toMatchObject({ verdict: "exact", changes_schema: false });
  });

  it("sees an invalid index, which a dump leaves out", () => {
    expect(proofs["an invalid index left behind"]).toMatchObject({ verdict: "fails", error: { code: "23505" } });
  });

  it("decides where one transaction cannot tell", () => {
    expect(proofs["triggers that wait for the end"]).toMatchObject({ verdict: "fails", error: { code: "55006" } });
  });
});

describe("proving an index that is left invalid", () => {
  it("shows it as a difference, though pg_dump shows none", async () => {
    const proofs = await provePairs({
      "1_a": ["create table a (id int)", "drop table a"],
      "2_b": [
        "select 'concurrently'; create index a_old on a (id)",
        "update pg_index set indisvalid = false where indexrelid = 'a_old'::regclass",
      ],
    });
    const differences = [{ kind: "INVALID INDEX", how: "left_over" }];
    expect(proofs["2_b"]).toMatchObject({ verdict: "residue", differences });
  });
});

describe("proving SQL that does not end", () => {
  it("ends it, whatever timeout it sets or catches, and goes on", async () => {
    const stubborn =
      "do $$ begin loop begin perform pg_sleep(60); exception when query_canceled then null; end; end loop; end $$";
    const proofs = await provePairs(
      {
        "1_a": ["create table a (id int)", "set statement_timeout = 0; select pg_sleep(600)"],
        "2_b": ["create table b (id int)", stubborn],
        "3_c": ["select pg_sleep(600)", "select 1"],
        "4_d": ["create table d (id int)", "drop table d"],
      },
      { timeoutMs: 500 },
    );
    expect(proofs["1_a"]).toMatchObject({ verdict: "fails", error: { code: "57014" } });
    expect(proofs["1_a"]!.message).toContain("ended after 0.5 s");
    expect(proofs["2_b"]).toMatchObject({ verdict: "fails" });
    expect(proofs["3_c"]).toMatchObject({ verdict: "up-fails" });
    expect(proofs["4_d"]).toMatchObject({ verdict: "exact" });
  });
});

describe("proving migrations that make roles", () => {
  it("leaves none on the server, and tells a role of others from a mistake", async () => {
    const role = `prove_${randomBytes(6).toString("hex")}`;
    const pairs = {
      "1_role": [
        `create role ${role}; create table a (id int); grant select on a to ${role}`,
        `drop table a; drop role ${role}`,
      ],
      "2_again": [`create role ${role}`, "select 1"],
    } as const;
    for (let run = 1; run <= 2; run++) {
      const proofs = await provePairs(pairs);
      expect(proofs["1_role"]).toMatchObject({ verdict: "exact", up_again: "same" });
      expect(proofs["2_again"]).toMatchObject({ verdict: "up-fails", error: { code: "42710" } });
    }
    await runSql(await serverUrl(), `create role ${role}`);
    try {
      const proofs = await provePairs(pairs);
      expect(proofs["1_role"]).toMatchObject({ verdict: "environment" });
      expect(proofs["1_role"]!.message).toContain("is on the scratch server already");
    } finally {
      await runSql(await serverUrl(), `drop role ${role}`);
    }
  });
});

describe("applying a migration again after its rollback", () => {
  it("is told as in a transaction of its own", async () => {
    const parent =
      "create table p (id int primary key); create table c (id int references p deferrable initially deferred)";
    const proofs = await provePairs({
      "1_rows": [`${parent}; insert into c values (1); insert into p values (1)`, "drop table c, p"],
      "2_prepared": ["prepare q as select 1; create table t (id int)", "drop table t"],
      "3_temporary": [
        "create temp table s (id int); create table u (id int)",
        "create temp table s (id int); drop table u",
      ],
    });
    expect(Object.values(proofs).map((proof) => proof.up_again)).toEqual(["same", "same", "same"]);
  });
});

describe("a role that came up on the server meanwhile", () => {
  it("is dropped at the end only where a text names it as a word, however it is written", () => {
    expect(namesRole("create role App_Reader", "app_reader")).toBe(true);
    expect(namesRole('grant select on t to "web+reader"', "web+reader")).toBe(true);
    expect(namesRole("-- apply\nselect application_name()", "app")).toBe(false);
    expect(namesRole("create role app_reader", "app")).toBe(false);
  });
});

describe("proving files that ask to be run outside of a transaction", () => {
  it("runs them so in tools that have a mark for it, and fails them without the mark", async () => {
    const goose = (mark: string) =>
      `${mark}-- +goose Up\ncreate index concurrently i on a (id);\n-- +goose Down\ndrop index concurrently i;\n`;
    const files = {
      "1_a.sql": "-- +goose Up\ncreate table a (id int);\n-- +goose Down\ndrop table a;\n",
      "2_i.sql": goose("-- +goose NO TRANSACTION\n"),
      "3_j.sql":
        "-- +goose Up\nalter table a add b int;\n-- +goose Down\ncreate index concurrently j on a (b);\nalter table a drop b;\n",
    };
    const proofs = await proofsOf(await folderOf(files, "goose"));
    expect(proofs["2_i"]).toMatchObject({ verdict: "exact" });
    expect(proofs["3_j"]).toMatchObject({ verdict: "fails", error: { code: "25001" } });
  });
});
