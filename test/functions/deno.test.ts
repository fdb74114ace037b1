import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DenoFunction, startFunction } from "../../dev/deno.ts";
import { cronKey } from "./deps.ts";
import { supabaseUrl, type TokenMaker, tokenMaker } from "./tokens.ts";
import { makeWorld, type World } from "./world.ts";

let world: World;
let tokens: TokenMaker;
const started: DenoFunction[] = [];

beforeAll(async () => {
  world = await makeWorld();
  tokens = await tokenMaker();
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()));
  await world.drop();
});

async function start(name: string): Promise<DenoFunction> {
  const one = await startFunction(`supabase/functions/${name}/index.ts`, {
    SUPABASE_URL: supabaseUrl,
    SUPABASE_DB_URL: world.url,
    SUPABASE_JWKS: JSON.stringify(tokens.jwks),
    SUPABASE_SECRET_KEYS: JSON.stringify({ cron: cronKey }),
    BELAY_STORE: world.storeUrl,
    BELAY_SCRATCH_URL: world.scratchUrl,
    BELAY_VERCEL_SECRET: "vercel-s3cret",
  });
  started.push(one);
  return one;
}

describe("the entry points under Deno with an edge function's permissions", () => {
  it("webhooks: takes a signed delivery and refuses an unsigned one", async () => {
    const { url } = await start("webhooks");
    const body = JSON.stringify({
      id: "evt_deno",
      type: "deployment.error",
      createdAt: Date.now(),
      payload: { target: "production" },
    });
    const signature = createHmac("sha1", "vercel-s3cret").update(body).digest("hex");
    const send = (given: string) =>
      fetch(`${url}/webhooks/vercel`, { method: "POST", body, headers: { "x-vercel-signature": given } });
    expect((await send("00")).status).toBe(401);
    expect((await send(signature)).status).toBe(202);
    expect((await send(signature)).status).toBe(200);
  });
});
