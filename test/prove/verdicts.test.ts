import { beforeAll, describe, expect, it } from "vitest";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { folderOf, proofsOf, proveCases, provePairs } from "./support.ts";

const cases = {
  exact: [
    "alter table shop add column note text; create index on shop (name)",
    "drop index shop_name_idx; alter table shop drop column note",
  ],
  "rows alone": ["update shop set price = 1", "-- nothing"],
  "column order": [
    "grant select (name, price) on shop to public; alter table shop drop column name",
    "alter table shop add name text not null default ''; alter table shop alter name drop default; revoke all on shop from public",
  ],
  "column order and more": [
    "alter table shop drop column name; create index shop_i on shop (price)",
    "alter table shop add column name text not null default ''; alter table shop alter column name drop default",
  ],
  residue: ["create table shop_extra (id int); create index shop_i on shop (name)", "drop table shop_extra"],
  "a column left": ["alter table shop add a int, add b int", "alter table shop drop column a"],
  "a column too many": ["alter table shop add note text", "alter table shop drop note, drop price"],
  differs: ["alter table shop alter price type bigint", "alter table shop alter price type smallint"],
  fails: ["create view shop_v as select 1", "-- first\ndrop view shop_v;\n\n  drop table shop_nothing;\n"],
  syntax: ["create view shop_v as select 1", "drop view shop_v;\ndrop table if not exists shop_v;"],
  "fails over rows": ["alter table shop drop name", "alter table shop add name text not null"],
  blank: ["create index shop_i on shop (name)", "-- to do\n"],
  idle: ["create index shop_i on shop (name)", "select 1; drop table if exists shop_nothing"],
  missing: ["create index shop_i on shop (name)"],
  renamed: [
    "alter table shop rename to shop_store; alter table shop_store rename column price to cost",
    "alter table shop_store rename column cost to price; alter table shop_store rename to shop",
  ],
  "table anew": [
    "alter table shop add column note text",
    "drop table shop; create table shop (id serial primary key, name text not null, price int)",
  ],
  "column anew": [
    "alter table shop alter price type text",
    "alter table shop drop column price; alter table shop add column price int",
  ],
} as const;

describe("a rollback's verdict", () => {
  let proofs: Readonly<Record<keyof typeof cases, Proof>>;

  beforeAll(async () => {
    proofs = await proveCases(cases);
  });

  it("is exact when every object is as before", () => {
    const proof = proofs.exact;
    const facts = { differences: [], up_again: "same", noop: false, changes_schema: true, error: null };
    expect(proof).toMatchObject({ verdict: "exact", ...facts });
    expect(proof.up_ms).toBeGreaterThan(0);
    expect(proof.down_ms).toBeGreaterThan(0);
  });

  it("is exact, and said to be a no-op, when there was nothing to do", () => {
    expect(proofs["rows alone"]).toMatchObject({ verdict: "exact", noop: true, changes_schema: false });
    expect(proofs["rows alone"].message).toContain("rows that it changed stay changed");
  });

  it("is column-order when only the place of a column differs", () => {
    const differences = [{ how: "column_order", kind: "TABLE" }];
    expect(proofs["column order"]).toMatchObject({ verdict: "column-order", differences });
  });

  it("is differs when columns are in another order and something stays", () => {
    const proof = proofs["column order and more"];
    expect(proof.verdict).toBe("differs");
    expect(proof.differences.map(({ how }) => how).sort()).toEqual(["column_order", "left_over"]);
  });

  it("is residue when something of the migration stays, a column too", () => {
    expect(proofs.residue).toMatchObject({ verdict: "residue", up_again: "fails" });
    expect(proofs.residue.differences).toMatchObject([{ kind: "INDEX", how: "left_over", before: null }]);
    expect(proofs.residue.message).toContain("cannot be applied again");
    const differences = [{ kind: "TABLE", how: "changed" }];
    expect(proofs["a column left"]).toMatchObject({ verdict: "residue", differences });
  });

  it("is overreach when something that was there before is gone", () => {
    const proof = proofs["a column too many"];
    expect(proof.verdict).toBe("overreach");
    expect(proof.loses).toMatchObject([
      { columns: ["price"], of: "before", rows: null },
      { columns: ["note"], of: "since", rows: null },
    ]);
  });

  it("is differs when an object comes back with another text", () => {
    expect(proofs.differs).toMatchObject({ verdict: "differs", differences: [{ how: "changed" }] });
    expect(proofs.differs.differences[0]!.before).toContain("price integer");
    expect(proofs.differs.differences[0]!.after).toContain("price smallint");
  });

  it("is fails, with SQLSTATE, place and statement, when the SQL does not run", () => {
    expect(proofs.fails).toMatchObject({ verdict: "fails", up_again: "not_run", differences: [] });
    expect(proofs.fails.error).toMatchObject({ code: "42P01", line: 4, column: 3 });
    expect(proofs.fails.error!.statement).toMatch(/^drop table shop\d+_nothing$/);
    expect(proofs.fails.error!.file).toMatch(/_it\.down\.sql$/);
    expect(proofs.syntax).toMatchObject({ verdict: "fails", error: { code: "42601", line: 2, column: 15 } });
    expect(proofs["fails over rows"]).toMatchObject({ verdict: "fails", error: { code: "23502" } });
  });

  it("is noop when a migration changed something and its rollback nothing", () => {
    expect(proofs.blank).toMatchObject({ verdict: "noop", noop: true, differences: [{ how: "left_over" }] });
    expect(proofs.blank.rollback_file).toMatch(/_it\.down\.sql$/);
    expect(proofs.idle).toMatchObject({ verdict: "noop", noop: true });
  });

  it("is missing when there is no rollback SQL and no place for it", () => {
    expect(proofs.missing).toMatchObject({ verdict: "missing", rollback_file: null });
  });

  it("comes without a loss where tables and columns were but renamed", () => {
    expect(proofs.renamed).toMatchObject({ verdict: "exact", loses: [] });
  });

  it("comes with the rows of what is dropped and made anew under its name", () => {
    expect(proofs["table anew"]).toMatchObject({ verdict: "exact", loses: [{ columns: null, of: "before" }] });
    expect(proofs["column anew"]).toMatchObject({ verdict: "exact", loses: [{ columns: ["price"], of: "before" }] });
  });
});

describe("a migration that does not run", () => {
  it("is up-fails, and what follows says so", async () => {
    const proofs = await provePairs({
      "1_a": ["create table a (id int);\ninsert into a values ('x');", "drop table a"],
      "2_b": ["alter table a add column b int", "alter table a drop column b"],
      "3_c": ["create table c (id int)", "drop table c"],
    });
    expect(proofs["1_a"]).toMatchObject({ verdict: "up-fails", error: { code: "22P02", line: 2, column: 23 } });
    expect(proofs["2_b"]).toMatchObject({ verdict: "up-fails", error: { code: "42P01" } });
    expect(proofs["2_b"]!.message).toContain("1_a before it did not run");
    expect(proofs["3_c"]!.verdict).toBe("exact");
  });

  it("is environment where the server lacks something, and so is what follows from it", async () => {
    const lacking: Readonly<Record<string, readonly [up: string, what: string]>> = {
      "1_extension": ["create extension not_there", "the extension not_there is not installed"],
      "2_role": ["create table r (id int); grant select on r to anon_nowhere", "the role anon_nowhere is missing"],
      "3_schema": ["alter table auth.users enable row level security", "auth of the platform is missing"],
      "4_function": ["create table p (o uuid default auth.uid())", "auth of the platform is missing"],
      "5_language": ["create function f() returns int language plsnake as 'x'", "the language plsnake is missing"],
      "6_generator": ["create table g (id uuid default uuid_generate_v4())", "uuid_generate_v4 is missing"],
      "7_type": ["create table t (mail citext)", "the type citext is missing"],
    };
    const pairs = Object.entries(lacking).map(([name, [up]]) => [name, [up, "select 1"]] as const);
    const proofs = await provePairs({ ...Object.fromEntries(pairs), "8_after": ["drop table t", "select 1"] });
    for (const [name, [, what]] of Object.entries(lacking)) {
      expect(proofs[name]).toMatchObject({ verdict: "environment", differences: [] });
      expect(proofs[name]!.message).toContain(what);
      expect(proofs[name]!.message).toMatch(/--setup|--scratch/);
    }
    expect(proofs["8_after"]).toMatchObject({ verdict: "environment" });
    expect(proofs["8_after"]!.message).toContain("7_type before it did not run");
  });

  it("runs where a setup brings what was missing", async () => {
    const sql = "create schema auth; create function auth.uid() returns uuid language sql return null::uuid";
    const pairs = { "1_p": ["create table p (o uuid default auth.uid())", "drop table p"] } as const;
    const proofs = await provePairs(pairs, { setup: { file: "setup.sql", sql } });
    expect(proofs["1_p"]!.verdict).toBe("exact");
    const broken = provePairs(pairs, { setup: { file: "setup.sql", sql: "select 1;\nselect x" } });
    await expect(broken).rejects.toThrow("setup.sql:2:8");
  });
});

describe("one rollback for several migrations", () => {
  it("is proved as one, and leaves alone what stands between them", async () => {
    const folder = await folderOf({
      "20250101000000_a.sql": "create table a (id int primary key);",
      "20250102000000_b.sql": "create table b (id int references a);",
      "20250103000000_c.sql": "create table c (id int);",
      "20250104000000_other.sql": "create table other (id int);",
      "20250105000000_d.sql": "create view d as select * from c;",
      "rollbacks/20250106000000_rollback_a_and_b.sql":
        "-- Rolls back: 20250101000000_a.sql, 20250102000000_b.sql\ndrop table b; drop table a;",
      "rollbacks/20250106000001_rollback_c_and_d.sql":
        "-- Rolls back: 20250103000000_c.sql, 20250105000000_d.sql\ndrop view d; drop table c;",
    });
    const proofs = await proofsOf(folder);
    for (const name of ["20250101000000_a", "20250102000000_b", "20250103000000_c", "20250105000000_d"])
      expect(proofs[name]).toMatchObject({ verdict: "exact", up_again: "same" });
    expect(proofs["20250104000000_other"]!.verdict).toBe("missing");
  });
});

describe("a fix", () => {
  it("is SQL that was tried and leads back, for a wrong and for a missing rollback; else there is a reason", async () => {
    const ups = {
      wrong: "create index shop_i on shop (name); create table shop_t (id int)",
      missing: "alter table shop add column note text",
      hopeless: "alter table shop drop column name",
    };
    const proofs = await proveCases(
      { wrong: [ups.wrong, "drop table shop_t"], missing: [ups.missing], hopeless: [ups.hopeless, "select 1"] },
      { fix: true },
    );
    expect(proofs.wrong).toMatchObject({ verdict: "residue", no_fix: null });
    expect(proofs.missing).toMatchObject({ verdict: "missing", no_fix: null });
    expect(proofs.hopeless).toMatchObject({ verdict: "noop", fix: null });
    expect(proofs.hopeless.no_fix).toBeTruthy();
    const own = (text: string) => text.replaceAll(/\bshop\d/g, "shop");
    const mended = await proveCases({
      wrong: [ups.wrong, own(proofs.wrong.fix!)],
      missing: [ups.missing, own(proofs.missing.fix!)],
    });
    expect([mended.wrong.verdict, mended.missing.verdict]).toEqual(["exact", "exact"]);
  });

  it("is not looked for when nobody asks", async () => {
    const proofs = await provePairs({ "1_a": ["create view v as select 1"] });
    expect(proofs["1_a"]).toMatchObject({ fix: null, no_fix: "not looked for" });
  });
});
