import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filterRows } from "../../shared/migrations/ledger/filter.ts";
import type { MigrationRow } from "../../shared/migrations/ledger/status.ts";
import { openShop, type Shop, section } from "./support.ts";

let shop: Shop;
let all: MigrationRow[] | undefined;
beforeAll(async () => {
  shop = await openShop({
    "20250101000000_a.sql": section("create table a (id int);", "drop table a;"),
    "20250201000000_b.sql": "create table b (id int);",
    "20250301000000_c.sql": section("create table c (id int);", "drop table c;"),
  });
  shop.write("20250401000000_d.sql", "create table d (id int);");
  await shop.sql(`
    update belay.migration_history set applied_at = now() - interval '10 days' where migration_name like '%_a';
    update belay.migration_history set applied_at = now() - interval '30 hours' where migration_name like '%_b';
    update belay.migration_history set applied_at = '2026-01-20T12:00:00Z', status = 'rolled_back', rollback_at = now() where migration_name like '%_c'`);
});
afterAll(() => shop.drop());

/** The same as the command, without a process for each. */
async function names(...words: string[]): Promise<string[]> {
  all ??= (await shop.json(0, "status")).migrations;
  const since = words.includes("--since") ? { since: words[words.indexOf("--since") + 1]! } : {};
  const filter = { ...since, missing: words.includes("--missing"), rolledBack: words.includes("--rolled-back") };
  return filterRows(all!, filter, new Date())
    .map(({ migration }) => migration.slice(-1))
    .sort();
}

describe("belay status", () => {
  it("shows what was applied since a version, a date or a duration", async () => {
    expect(await names()).toEqual(["a", "b", "c", "d"]);
    expect(await names("--since", "20250201000000")).toEqual(["b", "c"]);
    expect(await names("--since", "20250201000000_b")).toEqual(["b", "c"]);
    expect(await names("--since", "7d")).toEqual(["b"]);
    expect(await names("--since", "12h")).toEqual([]);
    expect(await names("--since", "2026-01-20")).toContain("c");
    expect(await names("--since", "2026-01-20T13:00:00Z")).not.toContain("c");
  });

  it("combines its flags, and counts both what is shown and all", async () => {
    expect(await names("--missing")).toEqual(["b", "d"]);
    expect(await names("--rolled-back")).toEqual(["c"]);
    expect(await names("--missing", "--since", "7d")).toEqual(["b"]);
    expect(await names("--missing", "--rolled-back")).toEqual([]);
    expect(await shop.json(0, "list", "--missing")).toMatchObject({
      total: 2,
      applied: 1,
      pending: 1,
      missing: 2,
      rollbackable: 0,
      all: { total: 4, applied: 2, rolledBack: 1, failed: 0, pending: 1, missing: 2, rollbackable: 1 },
    });
    expect((await shop.belay("status", "--missing", "--since", "7d")).out).toMatch(
      /Total: 1 of 4 \(1 applied, 1 without rollback SQL\)\./,
    );
  });

  it("refuses a time that is none, with examples", async () => {
    const ran = await shop.belay("status", "--since", "yesterday");
    expect(ran).toMatchObject({
      code: 2,
      error: expect.stringMatching(/neither a version, a date nor a duration[\s\S]*--since 7d/),
    });
  });
});
