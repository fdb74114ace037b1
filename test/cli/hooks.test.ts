import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { incidentSchema } from "../../shared/rollback/incident/types.ts";
import { type Listener, listen } from "../hooks/listener.ts";
import { soloFile } from "../support/policy.ts";
import { belay, type Environment, openShop, type Shop, section } from "./support.ts";

const name = "20250101000000_orders";
let shop: Shop;
let server: Listener;
let environment: Environment;

beforeAll(async () => {
  server = await listen();
  server.answer("/health", (_, response) => response.writeHead(server.on("/health").length === 1 ? 200 : 503).end());
  shop = await openShop(
    { [`${name}.sql`]: section("create table orders (id int primary key);", "drop table orders;") },
    "insert into orders select generate_series(1, 30)",
  );
  const checks = [{ name: "api", url: `${server.url}/health` }];
  writeFileSync(shop.environment.BELAY_POLICY!, JSON.stringify({ ...soloFile, health: { checks, attempts: 1 } }));
  environment = {
    ...shop.environment,
    BELAY_HOOK_AFTER: `${server.url}/after?key=hidden`,
    BELAY_HOOK_SECRET: "whsec_c2VjcmV0",
    BELAY_NOTIFY_URL: `${server.url}/team/hidden`,
  };
});
afterAll(async () => {
  await shop.drop();
  await server.close();
});

const call = (...words: string[]) => belay(words, environment, { cwd: shop.directory });

describe("rollback with hooks", () => {
  it("needs a secret to sign with", async () => {
    const { code, error } = await belay(
      ["list"],
      { ...environment, BELAY_HOOK_SECRET: undefined },
      { cwd: shop.directory },
    );
    expect([code, error]).toEqual([
      2,
      expect.stringMatching(/hooks are signed, and no secret is set\n→ Set BELAY_HOOK_SECRET: echo "whsec_/),
    ]);
  });

  it("says loudly that a health check fails since, and exits 6", async () => {
    const { code, out } = await call("rollback", name, "--yes", "--reason", "wrong release", "--maintenance");
    expect(code, out).toBe(6);
    expect(out).toMatch(/✓ Rolled back: 20250101000000_orders/);
    expect(out).toMatch(/✓ maintenance: switched on before the locks, and off after/);
    expect(out).toMatch(/✓ after hook, 127\.0\.0\.1:\d+: it answered 204/);
    expect(out).toMatch(/✗ UNHEALTHY since the rollback: api: it answered 503/);
    expect(out).toMatch(/Incident report: belay incident [0-9a-f-]{36}/);
    expect(out).not.toContain("hidden");
  });

  it("the incident report, for a terminal, as Markdown and as JSON", async () => {
    const { out } = await call("incident", "latest");
    expect(out).toMatch(
      /30 rows of 1 table went, all in a verified archive\. A health check that passed before fails after it\./,
    );
    expect(out).toMatch(/✗ health after +api: it answered 503/);
    expect(out).toMatch(/To undo: belay undo [0-9a-f-]{36} --reason/);
    const { out: markdown } = await call("incident", "latest", "--markdown");
    expect(markdown).toMatch(/^# Rollback of 20250101000000_orders\n/);
    const { out: json } = await call("incident", "latest", "--json");
    const incident = incidentSchema.parse(JSON.parse(json));
    expect(incident).toMatchObject({
      outcome: "committed",
      actor: "anna",
      loss: { tables: [{ name: "public.orders", rows: 30 }] },
    });
    expect(out + markdown + json).not.toContain("hidden");
    expect(await call("incident", "00000000-0000-4000-8000-000000000000")).toMatchObject({
      code: 2,
      error: expect.stringContaining("there is no rollback 00000000"),
    });
    expect(JSON.parse((await call("incident", name.slice(0, 14), "--json")).out)).toMatchObject({
      rollbackId: incident.rollbackId,
    });
    expect(await call("incident", "latest", "--markdown", "--json")).toMatchObject({ code: 2 });
  });

  it("maintenance on, off and status", async () => {
    expect(await call("maintenance", "on", "--reason", "moving", "--minutes", "soon")).toMatchObject({ code: 2 });
    expect(await call("maintenance", "on")).toMatchObject({
      code: 2,
      error: expect.stringContaining("maintenance needs a reason"),
    });
    const { out } = await call("maintenance", "on", "--reason", "moving", "--minutes", "5");
    expect(out).toMatch(/^✓ maintenance is on since .* by anna, until .* at the latest: moving\n$/);
    expect(JSON.parse((await call("maintenance", "status", "--json")).out)).toMatchObject({
      active: true,
      setBy: "anna",
      rollbackId: null,
    });
    expect((await call("maintenance", "off")).out).toBe("· maintenance is off\n");
    const actions = await shop.sql("select action from belay.audit_log where subject = 'maintenance' order by id");
    expect(actions).toEqual([{ action: "maintenance.on" }, { action: "maintenance.off" }]);
  });
});
