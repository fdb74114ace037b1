import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Belay } from "../../shared/context.ts";
import { createScratch, newScratchName, reapScratch, withScratch } from "../../shared/postgres/scratch.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { testBelay } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";

let server: Session;
let belay: Belay;
const made: string[] = [];

beforeAll(async () => {
  const url = await serverUrl();
  server = await openSession(url);
  belay = testBelay({ database: url, scratch: url });
});
afterAll(async () => {
  for (const name of made) await server.run(`drop database if exists "${name}" with (force)`);
  await server.close();
});

const exists = async (name: string) => (await server.sql`select from pg_database where datname = ${name}`).length === 1;

async function databaseWith(comment: string | null, name = newScratchName()): Promise<string> {
  made.push(name);
  await server.run(`create database "${name}"`);
  if (comment !== null) await server.run(`comment on database "${name}" is '${comment}'`);
  return name;
}

const marker = (expires: string) => JSON.stringify({ belay: "scratch", owner: "a killed drill", expires });
const past = "2001-01-01T00:00:00.000Z";

describe("a scratch database", () => {
  test("is gone after the work, and after work that fails", async () => {
    const names: string[] = [];
    await withScratch(belay, "a test", async ({ name }) => void names.push(name));
    const failing = withScratch(belay, "a test's", async ({ name }) => {
      names.push(name);
      throw new Error("the work failed");
    });
    await expect(failing).rejects.toThrow("the work failed");
    expect(await Promise.all(names.map(exists))).toEqual([false, false]);
  });

  test("of a killed process is dropped once it has expired, by the next one's maker", async () => {
    const orphan = await databaseWith(null);
    const open = await openSession(new URL(`/${orphan}`, await serverUrl()).href);
    await server.run(`comment on database "${orphan}" is '${marker(past)}'`);
    const running = await databaseWith(marker("2999-01-01T00:00:00.000Z"));
    const scratch = await createScratch(belay, "next", newScratchName());
    expect([await exists(orphan), await exists(running), await exists(scratch.name)]).toEqual([false, true, true]);
    await scratch.drop();
    expect(await exists(scratch.name)).toBe(false);
    await open.destroy();
  });

  test.each([
    ["no marker", null, undefined],
    ["a comment of somebody else", "our staging copy", undefined],
    ["a marker without expiry", JSON.stringify({ belay: "scratch", owner: "x" }), undefined],
    ["an expiry that is no date", marker("soon"), undefined],
    ["another name", marker(past), `production_${Date.now()}`],
  ])("with %s is never dropped", async (_, comment, name) => {
    const kept = await databaseWith(comment, name);
    expect(await reapScratch(await serverUrl(), new Date())).not.toContain(kept);
    expect(await exists(kept)).toBe(true);
  });

  test("whose owner is another one stays", async () => {
    const scratch = await createScratch(belay, "mine", newScratchName());
    made.push(scratch.name);
    await server.run(`comment on database "${scratch.name}" is '${marker(past).replace("killed", "other")}'`);
    await scratch.drop();
    expect(await exists(scratch.name)).toBe(true);
  });
});
