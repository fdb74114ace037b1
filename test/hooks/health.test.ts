import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askHealth, judgeHealth } from "../../shared/rollback/hooks/health.ts";
import { parsePolicy } from "../../shared/rollback/plan/parse-policy.ts";
import { completePolicy } from "../../shared/rollback/plan/policy.ts";
import type { HealthCheck } from "../../shared/rollback/plan/policy-around.ts";
import { run } from "../rollback/helpers.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { type Listener, listen } from "./listener.ts";

let database: TestDatabase;
let server: Listener;
beforeAll(async () => {
  [database, server] = await Promise.all([createDatabase(), listen()]);
  await run(database.url, "create table t (id int); insert into t values (1), (2)");
});
afterAll(async () => {
  await server.close();
  await database.drop();
});

async function ask(check: Omit<HealthCheck, "name">, limits = { attempts: 1, timeoutMs: 10_000, totalMs: 20_000 }) {
  const policy = completePolicy({ health: { checks: [{ name: "it", ...check }], ...limits } });
  const [result] = await askHealth(testBelay({ database: database.url, settings: { policy } }), policy);
  return result!;
}

describe("a health check by address", () => {
  it.each([
    [200, undefined, true],
    [204, undefined, true],
    [302, undefined, false],
    [404, undefined, false],
    [503, undefined, false],
    [401, [401], true],
    [200, [401], false],
    [302, [302], true],
  ])("answered %i with expect %j is healthy: %s", async (status, expected, healthy) => {
    server.answer("/health", (_, response) => response.writeHead(status, { location: "/elsewhere" }).end());
    expect(
      await ask({ url: `${server.url}/health`, ...(expected === undefined ? {} : { expect: expected }) }),
    ).toMatchObject({ healthy, status });
    expect(server.on("/elsewhere")).toEqual([]);
  });

  it("takes an address with a user and password, and shows neither", async () => {
    const url = `${server.url.replace("://", "://us%40er:hidden@")}/closed`;
    server.answer("/closed", ({ headers }, response) => {
      const [, pair] = String(headers.authorization).split(" ");
      response.writeHead(Buffer.from(pair ?? "", "base64").toString() === "us@er:hidden" ? 200 : 401).end();
    });
    const policy = completePolicy({});
    const belay = testBelay({ database: database.url, settings: { policy, healthUrls: [url, url] } });
    const results = await askHealth(belay, policy);
    const { host } = new URL(server.url);
    expect(results).toMatchObject([
      { name: host, healthy: true },
      { name: `${host} (2)`, healthy: true },
    ]);
    expect(JSON.stringify(results)).not.toContain("hidden");
  });

  it("is asked again until it is healthy, within its limits", async () => {
    server.answer("/flaps", (_, response, count) => response.writeHead(count < 3 ? 503 : 200).end());
    const limits = { attempts: 3, timeoutMs: 5_000, totalMs: 20_000 };
    expect(await ask({ url: `${server.url}/flaps` }, limits)).toMatchObject({ healthy: true, attempts: 3 });
    server.answer("/hangs", () => {});
    const began = performance.now();
    expect(await ask({ url: `${server.url}/hangs` }, { attempts: 20, timeoutMs: 200, totalMs: 700 })).toMatchObject({
      healthy: false,
      status: null,
    });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("a health check by query", () => {
  it.each([
    ["select count(*) = 2 from t", true, "the query answered true"],
    ["select count(*) = 2 from t;", true, "the query answered true"],
    ["select count(*) = 3 from t", false, "the query answered false"],
    ["select null::boolean", false, "the query answered NULL"],
    ["select true from t", false, "the query answered 2 rows instead of one"],
    ["select true from t where id = 9", false, "the query answered no row instead of one"],
    ["select 'secret'", false, "the query answered something else than true or false"],
    ["select 'secret'::int = 1", false, "the query failed (SQLSTATE 22P02)"],
    ["delete from t returning true", false, "the query failed (SQLSTATE 25006)"],
    ["commit; delete from t", false, "the query failed (SQLSTATE 42601)"],
    ["commit", false, "the query answered no row instead of one"],
    ["select true from nowhere", false, "the query failed (SQLSTATE 42P01)"],
  ])("%s", async (sql, healthy, evidence) => {
    expect(await ask({ sql })).toMatchObject({ healthy, status: null, evidence });
    expect(await run(database.url, "select count(*)::int as n from t")).toEqual([{ n: 2 }]);
  });

  it("ends in time", async () => {
    const began = performance.now();
    expect(
      await ask({ sql: "select pg_sleep(60) is not null" }, { attempts: 1, timeoutMs: 300, totalMs: 1_000 }),
    ).toMatchObject({ healthy: false });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("the verdict", () => {
  const result = (name: string, healthy: boolean) => ({
    name,
    healthy,
    status: null,
    attempts: 1,
    milliseconds: 1,
    evidence: "",
  });
  it.each([
    [[true], [true], "healthy"],
    [[true], [false], "failing"],
    [[false], [false], "failing_before"],
    [[false], [true], "healthy"],
    [[false, true], [false, true], "failing_before"],
    [[false, true], [false, false], "failing"],
    [[true], [], "not_reached"],
    [[], [], "not_reached"],
  ])("before %j and after %j is %s", (before, after, verdict) => {
    const named = (each: boolean[]) => each.map((healthy, index) => result(String(index), healthy));
    expect(judgeHealth(named(before), named(after))).toBe(verdict);
  });
});

describe("the policy's sections", () => {
  const said = (file: unknown) => {
    try {
      parsePolicy(JSON.stringify(file), "belay.policy.json");
      return "taken";
    } catch (error) {
      return (error as Error).message;
    }
  };
  it.each([
    [{ health: { checks: [{ name: "api" }] } }, /health\.checks\.0: needs either url or sql/],
    [{ health: { checks: [{ name: "api", url: "http://a", sql: "select true" }] } }, /needs either url or sql/],
    [{ health: { checks: [{ name: "api", url: "ftp://a" }] } }, /health\.checks\.0\.url: must be an http or https URL/],
    [
      { health: { checks: [{ name: "api", url: "https://u:hidden@a/x" }] } },
      /must not hold a user or password: set such an address in BELAY_HEALTH_URL/,
    ],
    [
      {
        health: {
          checks: [
            { name: "a", sql: "select true" },
            { name: "a", sql: "select true" },
          ],
        },
      },
      /two checks have the same name/,
    ],
    [{ health: { onFailure: "panic" } }, /health\.onFailure/],
    [{ health: { onFailur: "undo" } }, /health\.onFailur is not known \(did you mean onFailure\?\)/],
    [{ hooks: { url: "https://a" } }, /hooks\.url is not known/],
    [{ maintenance: { use: "always", minutes: 10, message: "back soon" } }, /^taken$/],
    [
      { health: { checks: [{ name: "api", url: "https://a/health", expect: [200, 401] }], onFailure: "undo" } },
      /^taken$/,
    ],
  ])("%j", (file, words) => {
    expect(said(file)).toMatch(words);
    expect(said(file)).not.toContain("hidden");
  });
});
