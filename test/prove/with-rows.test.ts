import { beforeAll, describe, expect, it } from "vitest";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { provePairs } from "./support.ts";

let proofs: Readonly<Record<string, Proof>>;

beforeAll(async () => {
  proofs = await provePairs(
    {
      "1_table": ["create table t (id int primary key, name text, at timestamp)", "drop table t"],
      "2_index": ["create index on t (at)", "drop index t_at_idx"],
      "3_back_empty": ["alter table t drop column name", "alter table t add column name text"],
      "4_adds": ["alter table t add column price int", "alter table t drop column price"],
      "5_not_null": ["alter table t add column must int not null", "alter table t drop column must"],
      "6_down_fails": ["alter table t drop column must", "alter table t add column must int not null"],
      "7_hidden": ["create table audit (n int)", "update t set price = price + 1; drop table audit"],
      "8_trigger": [
        `create function f() returns trigger language plpgsql as $$ begin new.at := new.at + interval '1 hour'; return new; end $$;
         create trigger t before insert or update on t for each row execute function f()`,
        "drop trigger t on t; drop function f()",
      ],
      "9_type": [
        "alter table t alter at type timestamptz; update t set price = 1",
        "alter table t alter at type timestamp",
      ],
      "10_closed": [
        `create function no() returns trigger language plpgsql as $$ begin raise 'closed'; end $$;
         create table closed (x int, y int); create trigger no before insert on closed for each row execute function no()`,
        "drop table closed; drop function no()",
      ],
      "11_alone": [
        "create table more (x int); create index concurrently on more (x)",
        "drop index concurrently more_x_idx; drop table more",
      ],
      "12_for_ever": [
        `create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$;
         create trigger z_wait before insert on t for each row execute function wait()`,
        "drop trigger z_wait on t; drop function wait()",
      ],
    },
    { seed: { rows: 2, seed: 1 }, timeoutMs: 3_000 },
  );
}, 120_000);

const lost = (name: string) =>
  proofs[name]!.loses.map(({ table, columns, of, how, rows }) => [of, how, table, columns, rows]);

describe("a proof with generated rows", () => {
  it("says which rows that stand after a migration its rollback destroys, and that none stood before", () => {
    expect(lost("1_table")).toEqual([["since", "dropped", "t", null, 2]]);
    expect(proofs["1_table"]!.with_rows).toEqual({ before: "kept", since: "lost", error: null });
  });

  it("says that nothing is lost", () => {
    expect(lost("2_index")).toEqual([]);
    expect(proofs["2_index"]!.with_rows).toEqual({ before: "kept", since: "kept", error: null });
  });

  it("says what a migration and its rollback do to rows that stood before, though the objects are equal", () => {
    expect(proofs["3_back_empty"]!.verdict).toBe("column-order");
    expect(lost("3_back_empty")).toEqual([["before", "changed", "t", ["name"], 2]]);
  });

  it("says which columns go, with the rows that had a value", () => {
    expect(lost("4_adds")).toEqual([["since", "dropped", "t", ["price"], 2]]);
  });

  it("says that a migration does not run over rows, and of which error", () => {
    expect(proofs["5_not_null"]!.with_rows).toMatchObject({ before: "up_fails", since: "lost" });
    expect(proofs["5_not_null"]!.with_rows!.error).toMatch(/contains null values/);
  });

  it("says that a rollback does not run over rows", () => {
    expect(proofs["6_down_fails"]!.verdict).not.toBe("fails");
    expect(proofs["6_down_fails"]!.with_rows).toMatchObject({ before: "down_fails", since: "down_fails" });
  });

  it("finds values that are changed beside what is dropped", () => {
    expect(lost("7_hidden")).toEqual([
      ["before", "changed", "t", ["price"], 2],
      ["since", "dropped", "audit", null, 2],
      ["since", "changed", "t", ["price"], 2],
    ]);
  });

  it("runs a migration over rows whose triggers ran with other column types", () => {
    expect(proofs["9_type"]!.with_rows).toMatchObject({ before: "lost", since: "lost", error: null });
  });

  it("names the table that took no rows, and tells of it what the catalog tells", () => {
    expect(proofs["10_closed"]!.unseeded).toEqual(["public.closed"]);
    expect(lost("10_closed")).toEqual([["since", "dropped", "closed", null, null]]);
    expect(proofs["10_closed"]!.with_rows!.since).toBe("lost");
  });

  it("does it on a copy where the SQL runs in no transaction", () => {
    expect(lost("11_alone")).toEqual([["since", "dropped", "more", null, 2]]);
  });

  it("gives up on rows whose triggers do not end, and goes on", () => {
    expect(proofs["12_for_ever"]!.verdict).toBe("exact");
    expect(proofs["12_for_ever"]!.with_rows!.since).toBe("not_run");
    expect(proofs["12_for_ever"]!.with_rows!.error).toMatch(/no rows could be put in/);
  });
});
