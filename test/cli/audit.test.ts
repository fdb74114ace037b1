import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWorld, type World } from "../audit/support.ts";
import { temporaryFolder } from "../support/belay.ts";
import { belay } from "./support.ts";

let world: World;
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  world = await openWorld();
  await world.append("a", "b", "c");
});
afterAll(() => world?.close());

const run = (...words: string[]) =>
  belay(["audit", ...words], {
    BELAY_DATABASE_URL: world.database.url,
    BELAY_STORE: pathToFileURL(join(folder, "store")).href,
    BELAY_ACTOR: "alice",
  });

describe("belay audit", () => {
  it("anchor puts the head into the store and prints what to note elsewhere; verify proves it, and takes it back", async () => {
    expect(await run("verify")).toMatchObject({ code: 0, out: expect.stringContaining("the tail is not proved") });
    const anchored = await run("anchor");
    expect(anchored.out).toMatch(/^✓ anchored in file:.*\n {2}3:[0-9a-f]{64}\n$/);
    const head = anchored.out.split("\n")[1]!.trim();
    const verified = await run("verify", "--expect", head);
    expect(verified.out).toMatch(
      /^✓ audit log: 3 rows, chain intact\n {2}✓ the tail is proved by the anchor of row 3, of .* by alice\n/,
    );
    expect((await run("verify", "--expect", head.replace("3:", "2:"))).code).toBe(1);
  });

  it("export writes a file that verifies without a database", async () => {
    const file = join(folder, "log.csv");
    expect(await run("export", "--format", "csv", "--output", file)).toMatchObject({ code: 0 });
    const without = (...words: string[]) => belay(["audit", "verify", "--file", file, ...words], {});
    expect(JSON.parse((await without("--json")).out)).toMatchObject({ ok: true, rows: 3, tail: "proved" });
    writeFileSync(file, readFileSync(file, "utf8").replace("alice", "mallory"));
    expect(await without()).toMatchObject({ code: 1, out: expect.stringContaining("✗ row 1 was changed") });
    expect((await run("export", "--from", "2")).out.split("\n")[0]).toMatch(/^\{"id":2,"occurredAt":"20/);
  });

  it("verify names what was cut, with exit code 1", async () => {
    await world.tamper("delete from belay.audit_log where id = 3");
    const { code, out } = await run("verify");
    expect(code).toBe(1);
    expect(out).toMatch(
      /^✗ audit log: 1 problem\n {2}✗ the log ends at row 2, but row 3 was anchored at .* by alice: rows were cut off/,
    );
  });

  it("anchor --after-restore says that it was a restore, and verify is content and tells of it", async () => {
    expect(await run("anchor", "--after-restore", "--reason", "restored")).toMatchObject({
      code: 0,
      out: expect.stringContaining("on record: anchors agree up to row 0, and those up to row 3 are left"),
    });
    const { code, out } = await run("verify");
    expect(code).toBe(0);
    expect(out).toContain("note: 1 anchor above row 0 is of a history that was left by a restore");
    expect(out).toMatch(
      /alice said that the database was restored, with anchors up to row 0 of 3 that agree: restored/,
    );
  });

  it.each([
    [["verify", "--expect", "x"], "is not a row and its hash"],
    [["verify", "--key", "x"], "not an Ed25519 public key"],
    [["verify", "--file", "/nowhere"], "/nowhere cannot be read"],
    [["export", "--from", "5", "--to", "2"], "there are no rows from 5 to 2"],
  ])("%j is a usage error", async (words, message) => {
    const { code, error } = await run(...words);
    expect([code, error]).toEqual([2, expect.stringContaining(message)]);
  });
});
