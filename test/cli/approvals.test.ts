import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { belay as command, openShop, type Shop, section, state } from "./support.ts";

const orders = "20250101000000_orders";
let shop: Shop;
/** Without the policy that other tests name. */
const belay = (...words: string[]) =>
  command(words, { ...shop.environment, BELAY_POLICY: undefined }, { cwd: shop.directory });
const hashNow = async () => JSON.parse((await belay("rollback", orders, "--dry-run", "--json")).out).hash as string;

beforeAll(async () => {
  shop = await openShop(
    { [`${orders}.sql`]: section("create table orders (id int primary key);", "drop table orders;") },
    "insert into orders select n from generate_series(1, 40) n",
  );
});
afterAll(() => shop.drop());

describe("by the default policy, a rollback that destroys rows", () => {
  it("ends with 3, and names the gate with the command that satisfies it", async () => {
    const before = await state(shop.url);
    const { code, error } = await belay("rollback", orders, "--yes", "--reason", "bad deploy");
    expect([code, error]).toEqual([
      3,
      expect.stringMatching(/not rolled back: approved: no approval of this plan by a second person/),
    ]);
    expect(error).toMatch(
      /belay approve 20250101000000_orders --plan [0-9a-f]{64}[\s\S]*Alone and in need: --waive approved/,
    );
    const checked = await belay("check", orders);
    expect(checked.code).toBe(3);
    expect(checked.out).toMatch(/Checklist\n.*Is there a recent backup\? no[\s\S]*✗ in the way: approved/);
    expect(await state(shop.url)).toEqual(before);
  });

  it("is not approved without the plan that was looked at, and not by oneself", async () => {
    const blind = await belay("approve", orders, "--yes", "--reason", "sure");
    expect([blind.code, blind.error]).toEqual([2, expect.stringMatching(/--dry-run, then: belay approve/)]);
    const hash = await hashNow();
    const own = await belay("approve", orders, "--yes", "--plan", hash, "--reason", "it is me", "--actor", "bob");
    expect([own.code, own.out]).toEqual([0, expect.stringMatching(/does not count for what the same role rolls back/)]);
    const { code, error } = await belay("rollback", orders, "--yes", "--reason", "bad deploy", "--plan", hash);
    expect([code, error]).toEqual([
      3,
      expect.stringMatching(/bob \(database role .*\): from behind the same database role/),
    ]);
  });

  it("goes with a waiver, on record and in the report", async () => {
    const { code, out } = await belay("rollback", orders, "--yes", "--reason", "alone on call", "--waive", "approved");
    expect([code, out]).toEqual([0, expect.stringMatching(/gate approved was waived by anna: alone on call/)]);
  });
});

describe("a policy", () => {
  it("is taken from belay.policy.json where the command runs, and a wrong one is a usage error", async () => {
    const file = join(shop.directory, "belay.policy.json");
    writeFileSync(file, JSON.stringify({ gates: { approved: "advised" } }));
    expect((await belay("policy")).out).toMatch(
      /Policy: belay\.policy\.json[\s\S]*approved +advised +advised +advised/,
    );
    writeFileSync(file, '{"gates": {"aproved": "off"}}');
    const { code, error } = await belay("check", orders);
    expect([code, error]).toEqual([
      2,
      expect.stringMatching(/belay\.policy\.json is not valid: gates\.aproved is not known \(did you mean approved/),
    ]);
  });

  it("that is named and not there is a usage error", async () => {
    const { code, error } = await belay("list", "--policy", "nowhere.json");
    expect([code, error]).toEqual([2, expect.stringMatching(/policy nowhere\.json cannot be read: ENOENT/)]);
  });
});

it("notify without an address says what to set", async () => {
  const { code, error } = await command(["notify", orders], shop.environment, { cwd: shop.directory });
  expect([code, error]).toEqual([2, expect.stringMatching(/no address of the team is set[\s\S]*BELAY_NOTIFY_URL/)]);
});
