import { verifyAuth } from "@supabase/server/core";
import { z } from "zod";
import { BelayError } from "../shared/errors.ts";
import type { AuthConfig } from "./config.ts";

export const roles = ["viewer", "operator", "approver"] as const;
export type Role = (typeof roles)[number];

/** Who sent a request, from a verified token. */
export interface Caller {
  readonly subject: string;
  /** What goes on record: the e-mail address, or the subject. */
  readonly actor: string;
  readonly role: Role;
  readonly aal: "aal1" | "aal2";
}

const claimsSchema = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  role: z.literal("authenticated"),
  aal: z.enum(["aal1", "aal2"]).catch("aal1"),
  email: z.string().optional().catch(undefined),
  is_anonymous: z.literal(false).optional(),
  app_metadata: z.object({ role: z.enum(roles) }),
});

/**
 * The caller behind a request's bearer token. @supabase/server checks the signature; it accepts tokens without `exp`
 * and of any role, so those claims are checked here. Throws `unauthenticated` or `forbidden`.
 */
export async function authenticate(request: Request, config: AuthConfig, now: Date): Promise<Caller> {
  const { data, error } = await verifyAuth(request, {
    auth: "user",
    issuer: config.issuer,
    audience: config.audience,
    env: supabaseEnv(config),
  });
  if (error !== null) {
    if (error.status >= 500) throw new BelayError("internal", "no key is configured to verify tokens with");
    throw new BelayError("unauthenticated", "the request carries no valid token of this project", {
      hint: "Send `Authorization: Bearer <access token>` from Supabase Auth.",
    });
  }
  const claims = claimsSchema.safeParse(data.jwtClaims);
  if (!claims.success) throw refusal(claims.error);
  const { sub, exp, iss, aud, aal, email, app_metadata } = claims.data;
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (exp * 1000 <= now.getTime() || iss !== config.issuer || !audiences.includes(config.audience))
    throw new BelayError("unauthenticated", "the token is not valid for this project", { hint: "Sign in again." });
  return { subject: sub, actor: email ?? sub, role: app_metadata.role, aal };
}

/** Throws `forbidden` unless the role is at least `needed` (viewer < operator < approver). */
export function requireRole(role: Role, needed: Role): void {
  if (roles.indexOf(role) >= roles.indexOf(needed)) return;
  throw new BelayError("forbidden", `this needs the role ${needed}, and the caller is ${role}`, {
    hint: `Have an administrator set the role in the user's app_metadata.`,
    details: { needed, role },
  });
}

/** Throws `forbidden` unless the caller signed in with a second factor. */
export function requireSecondFactor(caller: Caller): void {
  if (caller.aal === "aal2") return;
  throw new BelayError("forbidden", "a destructive act needs a sign-in with a second factor (aal2)", {
    hint: "Verify a second factor, then send the new token.",
    details: { aal: caller.aal },
  });
}

/** Accepts only the secret key of that name, only in the header `apikey`, compared in constant time. */
export async function requireSecretKey(request: Request, config: AuthConfig, name: string): Promise<void> {
  const { error } = await verifyAuth(request, { auth: `secret:${name}`, env: supabaseEnv(config) });
  if (error === null && config.secretKeys[name] !== undefined) return;
  throw new BelayError("unauthenticated", `the header apikey does not carry the secret key named ${name}`, {
    hint: `Send the secret key that SUPABASE_SECRET_KEYS names ${name}.`,
  });
}

function supabaseEnv(config: AuthConfig) {
  return {
    url: config.supabaseUrl,
    publishableKeys: {},
    secretKeys: { ...config.secretKeys },
    ...(config.jwks === null ? {} : { jwks: { keys: config.jwks.keys.map((key) => ({ ...key })) } as never }),
  };
}

function refusal(error: z.ZodError): BelayError {
  const fields = error.issues.map((issue) => issue.path.join("."));
  if (fields.every((field) => field.startsWith("app_metadata")))
    return new BelayError("forbidden", "the user has none of the roles viewer, operator, approver", {
      hint: "Have an administrator set `role` in the user's app_metadata.",
    });
  return new BelayError(
    "unauthenticated",
    `the token's claims are not those of a signed-in user: ${fields.join(", ")}`,
    {
      hint: "Send a user's access token; anon and service_role keys are not accepted.",
    },
  );
}
