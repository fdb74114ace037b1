import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const supabaseUrl = "http://127.0.0.1:9999";

type Claims = Record<string, unknown>;

/** A signing key of a Supabase project, and tokens made with it. */
export interface TokenMaker {
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  /** A valid token of an operator with a second factor; `claims` replace, `undefined` removes. */
  token(claims?: Claims): Promise<string>;
}

export async function tokenMaker(kid = "test-key"): Promise<TokenMaker> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  return {
    jwks: { keys: [jwk] },
    token: (claims = {}) => new SignJWT(claimsOf(claims)).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey),
  };
}

export function claimsOf(claims: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000);
  const all: Claims = {
    sub: "11111111-1111-4111-8111-111111111111",
    email: "olga@example.test",
    iss: `${supabaseUrl}/auth/v1`,
    aud: "authenticated",
    role: "authenticated",
    iat: now,
    exp: now + 600,
    aal: "aal2",
    app_metadata: { role: "operator" },
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** A token with `alg: none`. */
export function unsignedToken(kid = "test-key"): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", kid, typ: "JWT" })}.${part(claimsOf())}.`;
}
