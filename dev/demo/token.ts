import { webcrypto } from "node:crypto";

/** Who signs in. */
export interface User {
  readonly sub: string;
  readonly email: string;
  readonly role: "viewer" | "operator" | "approver";
}

/** A project's signing key, and tokens of signed-in users as Supabase Auth would give them. */
export interface Identity {
  readonly jwks: string;
  /** Default: the operator. */
  token(user?: User): Promise<string>;
}

/** Makes a new ES256 key; tokens are valid for an hour and carry a second factor. */
export async function createIdentity(supabaseUrl: string, operator: User): Promise<Identity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const jwk = await webcrypto.subtle.exportKey("jwk", publicKey);
  const kid = "demo";
  return {
    jwks: JSON.stringify({ keys: [{ ...jwk, kid, alg: "ES256", use: "sig" }] }),
    token: async ({ sub, email, role } = operator) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        sub,
        email,
        iss: `${supabaseUrl}/auth/v1`,
        aud: "authenticated",
        role: "authenticated",
        aal: "aal2",
        iat: now,
        exp: now + 3_600,
        app_metadata: { role },
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
