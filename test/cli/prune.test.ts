import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { keysIn, putArchive } from "../retention/archives.ts";
import { chunksOf } from "../store/contract.ts";
import { belay, openShop, type Shop, section } from "./support.ts";

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

let shop: Shop;
let store: ObjectStore;
let dumps: string[];
let rollback: string;

beforeAll(async () => {
  shop = await openShop({ "01_notes.sql": section("create table notes (id int primary key);", "drop table notes;") });
  store = createFolderStore(fileURLToPath(shop.store));
  dumps = [];
  for (const days of [0, 1, 40, 80]) dumps.push(await putArchive(store, { at: daysAgo(days) }));
  rollback = await putArchive(store, { at: daysAgo(400), purpose: "rollback" });
});
afterAll(() => shop.drop());

describe("prune", () => {
  it("without a rule, with a wrong one or two ways at once is a usage error that helps", async () => {
    for (const words of [
      [],
      ["--keep-last", "0"],
      ["--keep-last", "many"],
      ["--older-than", "month"],
      ["--expire", rollback],
      ["--expire", rollback, "--keep-last", "1"],
      ["--unfinished", "--older-than", "1min"],
    ]) {
      const { code, error } = await shop.belay("prune", ...words);
      expect(code, words.join(" ")).toBe(2);
      expect(error).toMatch(/^error \[usage\] .+\n→ .+/);
    }
  });

  it("shows every archive with age, size, verdict and reason, and says last what --apply would do", async () => {
    const before = await keysIn(store);
    const { code, out } = await shop.belay("prune", "--keep-last", "2");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toBe(`5 archives in ${shop.store}`);
    expect(lines[1]).toMatch(/^archive +of +age +stored +verdict +reason$/);
    expect(lines.find((line) => line.startsWith(dumps[0]!))).toMatch(/keep +the newest of shop; one of the last 2$/);
    expect(lines.find((line) => line.startsWith(dumps[2]!))).toMatch(/shop +40 d +20 B +remove +no rule keeps it$/);
    expect(lines.find((line) => line.startsWith(rollback))).toMatch(/keep +of a rollback: goes only by --expire$/);
    expect(lines.at(-1)).toBe("Nothing was changed: --apply removes 2 archives of 5 (40 B).");
    expect(await keysIn(store)).toEqual(before);
  });

  it("--json is one document with the verdicts, and changes nothing either", async () => {
    const document = await shop.json(0, "prune", "--older-than", "60d");
    expect(document).toMatchObject({ applied: false, removed: [], refusals: [], recordsKnown: true });
    expect(document.archives.map(({ action }: { action: string }) => action)).toEqual([
      "keep",
      "keep",
      "keep",
      "remove",
      "keep",
    ]);
  });

  it("--apply without a database is blocked until that is said", async () => {
    const environment = { ...shop.environment, BELAY_DATABASE_URL: undefined };
    const { code, error } = await belay(["prune", "--older-than", "60d", "--apply"], environment);
    expect(code).toBe(3);
    expect(error).toMatch(/--without-records/);
  });

  it("an unfinished newest dump blocks it, with the reason", async () => {
    const half = "dump-29990101t000000z-0000000a";
    await store.write(`archives/${half}/1.dat.gz`, chunksOf("x"));
    const { code, out } = await shop.belay("prune", "--keep-last", "1", "--apply");
    expect(code).toBe(3);
    expect(out).toMatch(new RegExp(`✗ ${half} is a dump that is not finished`));
    expect(out).toMatch(/Nothing is removed: settle this first/);
    const unfinished = await shop.belay("prune", "--unfinished");
    expect(unfinished.out).toMatch(new RegExp(`${half} +1 object +1 B +\\d+ min +keep +may still be written`));
    expect(unfinished.out).toMatch(/Nothing to remove\.\n$/);
    await store.delete(`archives/${half}/1.dat.gz`);
  });

  it("--apply removes what was shown; --expire removes one by name, and both are on record with who and why", async () => {
    const applied = await shop.belay("prune", "--keep-last", "2", "--apply", "--reason", "full disk");
    expect(applied.code).toBe(0);
    expect(applied.out).toContain(`✓ ${dumps[3]} removed: 3 objects`);
    const expired = await shop.json(0, "prune", "--expire", rollback, "--reason", "too old to matter", "--apply");
    expect(expired).toMatchObject({ applied: true, blockers: [], removed: [{ id: rollback, objects: 3 }] });
    const left = await keysIn(store);
    expect(left.every((key) => key.includes(dumps[0]!) || key.includes(dumps[1]!))).toBe(true);
    expect(left.length).toBe(6);
    const rows = await shop.sql(
      "select actor, action, subject, details->>'reason' as reason from belay.audit_log where action in ('archive.pruned', 'archive.expired') order by id",
    );
    expect(rows).toEqual([
      { actor: "anna", action: "archive.pruned", subject: dumps[3], reason: "full disk" },
      { actor: "anna", action: "archive.pruned", subject: dumps[2], reason: "full disk" },
      { actor: "anna", action: "archive.expired", subject: rollback, reason: "too old to matter" },
    ]);
  });

  it("--expire of the only good one is blocked, of an unknown one a usage error", async () => {
    const only = await shop.belay("prune", "--expire", dumps[0]!, "--reason", "x", "--apply");
    expect(only.code).toBe(3);
    expect(only.out).toMatch(/✗ the newest of shop/);
    expect((await shop.belay("prune", "--expire", "nix", "--reason", "x")).code).toBe(2);
  });
});

describe("prune after real dumps and a real drill", () => {
  it("keeps the newest and the newest that was drilled; what is left is still whole", async () => {
    const real = await openShop(
      { "01_notes.sql": section("create table notes (id int primary key);", "drop table notes;") },
      "insert into notes select generate_series(1, 50)",
    );
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const dump = await real.json(0, "dump");
      ids.push(dump.id);
      if (n === 0) await real.json(0, "drill", dump.id);
    }
    const pruned = await real.json(0, "prune", "--keep-last", "1", "--apply");
    expect(pruned.removed.map(({ id }: { id: string }) => id)).toEqual([ids[1]]);
    for (const id of [ids[0]!, ids[2]!]) expect((await real.belay("archives", "verify", id)).code).toBe(0);
    expect((await real.belay("archives", "verify", ids[1]!)).code).toBe(2);
    expect((await real.belay("audit", "verify")).code).toBe(0);
    await real.drop();
  });
});
