import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createApp } from "../../functions/app.ts";
import { mount, route } from "../../functions/route.ts";
import type { Belay } from "../../shared/context.ts";
import { testDeps } from "./deps.ts";
import { type TokenMaker, tokenMaker, unsignedToken } from "./tokens.ts";

let tokens: TokenMaker;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  tokens = await tokenMaker();
  const users = { columns: 0 };
  const session = { sql: async () => [users], close: async () => {} };
  const belay = (actor: string) => ({ actor, openSession: async () => session }) as unknown as Belay;
  const deps = testDeps(tokens, belay);
  app = createApp("/t", deps);
  const who = {
    response: z.object({ actor: z.string() }),
    handle: async ({ belay }: { belay: Belay }) => ({ actor: belay.actor }),
  };
  const routes = [
    route({ method: "get", path: "/look", summary: "", role: "viewer", ...who }),
    route({ method: "post", path: "/act", summary: "", role: "operator", ...who }),
    route({ method: "post", path: "/destroy", summary: "", role: "operator", destructive: true, ...who }),
  ];
  mount(app, routes, deps);
});

async function ask(
  method: "GET" | "POST",
  path: string,
  token: string | null,
): Promise<{ status: number; code: string; body: Record<string, unknown> }> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await app.request(`/t${path}`, { method, headers });
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, code: String(body.code), body };
}

describe("a signed-in user", () => {
  it("acts under the e-mail address of the token", async () => {
    const answer = await ask("GET", "/look", await tokens.token());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ actor: "olga@example.test" });
  });

  it("with no e-mail address acts under the subject", async () => {
    const answer = await ask("GET", "/look", await tokens.token({ email: undefined }));
    expect(answer.body).toEqual({ actor: "11111111-1111-4111-8111-111111111111" });
  });

  it("who is a viewer looks, and does not act", async () => {
    const viewer = await tokens.token({ app_metadata: { role: "viewer" } });
    expect((await ask("GET", "/look", viewer)).status).toBe(200);
    expect(await ask("POST", "/act", viewer)).toMatchObject({ status: 403, code: "forbidden" });
    expect(await ask("POST", "/destroy", viewer)).toMatchObject({ status: 403, code: "forbidden" });
  });

  it("who is an operator or approver acts", async () => {
    for (const role of ["operator", "approver"])
      expect((await ask("POST", "/destroy", await tokens.token({ app_metadata: { role } }))).status).toBe(200);
  });

  it("needs a second factor to destroy, not to act", async () => {
    for (const aal of ["aal1", undefined, "aal3", 2]) {
      const token = await tokens.token({ aal });
      expect((await ask("POST", "/act", token)).status).toBe(200);
      expect(await ask("POST", "/destroy", token)).toMatchObject({ status: 403, code: "forbidden" });
    }
  });
});

describe("refused as unauthenticated", () => {
  const refused: [string, () => Promise<string | null> | string | null][] = [
    ["no token", () => null],
    ["something that is not a token", () => "abc"],
    ["an empty token", () => ""],
    ["a token without a signature (alg none)", () => unsignedToken()],
    ["a token of another project's key", async () => (await tokenMaker()).token()],
    ["a token with an unknown key id", async () => (await tokenMaker("other")).token()],
    ["a token whose payload was changed", async () => tampered(await tokens.token())],
    ["an expired token", () => tokens.token({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ["a token without exp", () => tokens.token({ exp: undefined })],
    ["a token from the future", () => tokens.token({ nbf: Math.floor(Date.now() / 1000) + 600 })],
    ["a token without iss", () => tokens.token({ iss: undefined })],
    ["a token of another issuer", () => tokens.token({ iss: "https://other.supabase.co/auth/v1" })],
    ["a token without aud", () => tokens.token({ aud: undefined })],
    ["a token for another audience", () => tokens.token({ aud: "someone-else" })],
    ["a token of the role anon", () => tokens.token({ role: "anon" })],
    ["a token of the role service_role", () => tokens.token({ role: "service_role" })],
    ["a token without a role", () => tokens.token({ role: undefined })],
    ["a token without a subject", () => tokens.token({ sub: undefined })],
    ["a token of an anonymous sign-in", () => tokens.token({ is_anonymous: true })],
    ["a secret key instead of a token", () => "sb_secret_default_0123456789"],
  ];
  it.each(refused)("%s", async (_, make) => {
    const answer = await ask("GET", "/look", await make());
    expect(answer).toMatchObject({ status: 401, code: "unauthenticated" });
  });
});

describe("refused as forbidden: a role that is not in app_metadata", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["no app_metadata", { app_metadata: undefined }],
    ["an unknown role", { app_metadata: { role: "owner" } }],
    [
      "a role in user_metadata, which users write themselves",
      { app_metadata: {}, user_metadata: { role: "approver" } },
    ],
    ["a role that is a list", { app_metadata: { role: ["approver"] } }],
  ];
  it.each(cases)("%s", async (_, claims) => {
    expect(await ask("GET", "/look", await tokens.token(claims))).toMatchObject({ status: 403, code: "forbidden" });
  });
});

function tampered(token: string): string {
  const [head, payload, signature] = token.split(".") as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  claims.app_metadata = { role: "approver" };
  return [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}
