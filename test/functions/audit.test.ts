import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRollbacksApp } from "../../functions/rollbacks/app.ts";
import { verifyExport } from "../../shared/audit/verify-export.ts";
import { appendAudit } from "../../shared/audit.ts";
import { testDeps } from "./deps.ts";
import { type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
let app: ReturnType<typeof createRollbacksApp>;

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
  app = createRollbacksApp(testDeps(tokens, world.belay));
  for (let n = 1; n <= 5; n += 1)
    await appendAudit(world.session, { actor: "alice", action: "test", subject: `s${n % 2}`, details: { n } });
});
afterAll(() => world.drop());

async function ask(path: string, options: { method?: string; role?: string } = {}): Promise<Response> {
  const claims = options.role === undefined ? {} : { app_metadata: { role: options.role } };
  return app.request(`/rollbacks${path}`, {
    method: options.method ?? "GET",
    headers: { authorization: `Bearer ${await tokens.token(claims)}` },
  });
}
const get = async (path: string) => (await ask(path)).json();

describe("the audit log over HTTP", () => {
  it("is listed newest first, page by page, by action, subject and actor", async () => {
    const first = await get("/audit?limit=2");
    expect(first.items.map(({ id }: { id: number }) => id)).toEqual([5, 4]);
    expect(first.items[0]).toMatchObject({
      actor: "alice",
      details: { n: 5 },
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const second = await get(`/audit?limit=3&cursor=${first.next}`);
    expect(second.items.map(({ id }: { id: number }) => id)).toEqual([3, 2, 1]);
    expect(second.next).toBeNull();
    expect((await get("/audit?subject=s0")).items).toHaveLength(2);
    expect((await get("/audit?actor=bob")).items).toEqual([]);
    expect(await get("/audit?cursor=x")).toMatchObject({ code: "usage", status: 400 });
  });

  it("is anchored, and then verified", async () => {
    expect(await get("/audit/verify")).toMatchObject({ ok: true, rows: 5, tail: "not_proved" });
    expect(await (await ask("/audit/anchor", { method: "POST" })).json()).toEqual({ notes: [] });
    expect(await get("/audit/verify")).toMatchObject({ ok: true, rows: 5, tail: "proved", anchors: { compared: 1 } });
    expect(await get("/audit/verify?key=x")).toMatchObject({ code: "usage" });
  });

  it("is exported as it is read, and verifies without the database", async () => {
    for (const [format, type] of [
      ["jsonl", "application/jsonl"],
      ["csv", "text/csv"],
    ]) {
      const answer = await ask(`/audit/export?format=${format}`);
      expect(answer.headers.get("content-type")).toContain(type);
      expect(answer.headers.get("content-disposition")).toContain(`audit.${format}`);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(await verifyExport(answer.body!)).toMatchObject({ ok: true, rows: 5, anchors: { compared: 1 } });
    }
    expect(await get("/audit/export?from=4&to=2")).toMatchObject({ code: "usage", status: 400 });
    expect((await get("/audit/export?format=xml")).status).toBe(400);
  });

  it("may be verified by a viewer, and not exported or anchored", async () => {
    expect((await ask("/audit/verify", { role: "viewer" })).status).toBe(200);
    expect((await ask("/audit/export", { role: "viewer" })).status).toBe(403);
    expect((await ask("/audit/anchor", { role: "viewer", method: "POST" })).status).toBe(403);
  });

  it("closes its session when whoever asked goes away", async () => {
    const reader = (await ask("/audit/export")).body!.getReader();
    await reader.read();
    await reader.cancel();
    const open = () =>
      world.session
        .sql`select 1 from pg_stat_activity where application_name = 'belay audit' and datname = current_database()`;
    await expect.poll(async () => (await open()).length).toBe(0);
  });

  it("names its content types in the OpenAPI document", async () => {
    const { paths } = await (await app.request("/rollbacks/openapi.json")).json();
    expect(Object.keys(paths["/rollbacks/audit/export"].get.responses["200"].content)).toEqual([
      "application/jsonl",
      "text/csv",
    ]);
  });
});
