import { webcrypto } from "node:crypto";

/** A project's signing key, and the token of one signed-in operator, as Supabase Auth would give it. */
export interface Identity {
  readonly jwks: string;
  token(): Promise<string>;
}

/** Makes a new ES256 key; tokens are valid for an hour and carry a second factor. */
export async function createIdentity(supabaseUrl: string, email: string): Promise<Identity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const jwk = await webcrypto.subtle.exportKey("jwk", publicKey);
  const kid = "demo";
  return {
    jwks: JSON.stringify({ keys: [{ ...jwk, kid, alg: "ES256", use: "sig" }] }),
    token: async () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        sub: "7d0e8d1c-6a5d-4a5e-9a37-1f6f0f5c2b11",
        email,
        iss: `${supabaseUrl}/auth/v1`,
        aud: "authenticated",
        role: "authenticated",
        aal: "aal2",
        iat: now,
        exp: now + 3_600,
        app_metadata: { role: "operator" },
      };
      const signed = `${part({ alg: "ES256", typ: "JWT", kid })}.${part(claims)}`;
      const signature = await webcrypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" },
        privateKey,
        new TextEncoder().encode(signed),
      );
      return `${signed}.${Buffer.from(signature).toString("base64url")}`;
    },
  };
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
