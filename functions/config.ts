import { z } from "zod";
import { aroundFromEnvironment, parseSettings, type Settings } from "../shared/config.ts";
import { BelayError } from "../shared/errors.ts";
import { parsePolicy } from "../shared/rollback/plan/parse-policy.ts";
import type { StoreCredentials } from "../shared/store/open.ts";

/** Raw COPY text that one invocation of an edge function may archive: its CPU and memory limits allow about this. */
export const edgeBudgetBytes = 32 * 1024 * 1024;

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: "must be JSON" });
    return z.NEVER;
  }
});

const keySetSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });
const base64Secret = z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/, "must be whsec_ and base64");

const environmentSchema = z.object({
  SUPABASE_URL: z.url(),
  /** Inline key set; without it the project's own well-known address is asked. */
  SUPABASE_JWKS: json.pipe(keySetSchema).optional(),
  SUPABASE_SECRET_KEYS: json.pipe(z.record(z.string(), z.string().min(1))).optional(),
  BELAY_JWT_AUDIENCE: z.string().min(1).default("authenticated"),
  BELAY_CORS_ORIGIN: z.string().min(1).default("*"),
  BELAY_VERCEL_SECRET: z.string().min(1).optional(),
  BELAY_WEBHOOK_SECRET: base64Secret.optional(),
  BELAY_NOTIFY_URL: z.url({ protocol: /^https?$/ }).optional(),
  BELAY_NOTIFY_SECRET: base64Secret.optional(),
  BELAY_ARCHIVE_BUDGET: z.coerce.number().int().positive().default(edgeBudgetBytes),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_REGION: z.string().optional(),
  AWS_ENDPOINT_URL_S3: z.string().optional(),
});

/** Who may ask: where tokens come from and what they must say. */
export interface AuthConfig {
  readonly supabaseUrl: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] } | null;
  readonly secretKeys: Readonly<Record<string, string>>;
}

export interface WebhookConfig {
  readonly vercelSecret: string | null;
  readonly standardSecret: string | null;
}

export interface NotifyConfig {
  readonly url: string;
  readonly secret: string | null;
}

/** Everything that a function takes from its environment, parsed once and frozen. */
export interface FunctionConfig {
  readonly settings: Settings;
  readonly auth: AuthConfig;
  readonly corsOrigin: string;
  readonly webhooks: WebhookConfig;
  readonly notify: NotifyConfig | null;
  readonly credentials: StoreCredentials | null;
}

/** Parses a function's environment; throws `usage` that names the wrong variables and never their values. */
export function functionConfig(environment: Readonly<Record<string, string | undefined>>): FunctionConfig {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join("; ");
    throw new BelayError("usage", `the function's environment is not valid: ${wrong}`, {
      hint: "Set it with `supabase secrets set`.",
    });
  }
  const env = parsed.data;
  const url = env.SUPABASE_URL.replace(/\/+$/, "");
  return Object.freeze({
    settings: edgeSettings(given, env.BELAY_ARCHIVE_BUDGET),
    auth: {
      supabaseUrl: url,
      issuer: `${url}/auth/v1`,
      audience: env.BELAY_JWT_AUDIENCE,
      jwks: env.SUPABASE_JWKS ?? null,
      secretKeys: env.SUPABASE_SECRET_KEYS ?? {},
    },
    corsOrigin: env.BELAY_CORS_ORIGIN,
    webhooks: {
      vercelSecret: env.BELAY_VERCEL_SECRET ?? null,
      standardSecret: env.BELAY_WEBHOOK_SECRET ?? null,
    },
    notify:
      env.BELAY_NOTIFY_URL === undefined
        ? null
        : { url: env.BELAY_NOTIFY_URL, secret: env.BELAY_NOTIFY_SECRET ?? null },
    credentials: credentialsOf(env),
  });
}

function credentialsOf(env: z.infer<typeof environmentSchema>): StoreCredentials | null {
  if (env.AWS_ACCESS_KEY_ID === undefined || env.AWS_SECRET_ACCESS_KEY === undefined) return null;
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL_S3,
  };
}

/** Functions have no files: the policy's text is a secret of the project, so that both surfaces judge alike. */
function policyOf(text: unknown): Settings["policy"] | undefined {
  return typeof text === "string" ? parsePolicy(text, "BELAY_POLICY_JSON") : undefined;
}

function edgeSettings(environment: Readonly<Record<string, unknown>>, budget: number): Settings {
  const named = {
    database: environment.BELAY_DATABASE_URL ?? environment.SUPABASE_DB_URL,
    store: environment.BELAY_STORE,
    scratch: environment.BELAY_SCRATCH_URL,
    ...aroundFromEnvironment(environment),
    signingKey: environment.BELAY_SIGNING_KEY,
    actor: "function",
    policy: policyOf(environment.BELAY_POLICY_JSON),
    runtime: "edge",
    archiveBudgetBytes: budget,
  };
  return parseSettings(Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)));
}
