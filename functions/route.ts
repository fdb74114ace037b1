import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { currentUserRole } from "../shared/user-role.ts";
import { withSession } from "../shared/with-session.ts";
import { authenticate, type Caller, type Role, requireRole, requireSecondFactor, roles } from "./auth.ts";
import type { AppDeps } from "./deps.ts";
import { answerOnce } from "./idempotency.ts";
import { HttpError } from "./problem.ts";
import { type Streamed, streamedResponse } from "./streamed.ts";

export interface RouteInput<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly belay: Belay;
  readonly caller: Caller;
}

/** One route as data: from it come the handler, its checks and its place in the OpenAPI document. */
export interface Route<P = unknown, Q = unknown, B = unknown, R = unknown> {
  readonly method: "get" | "post" | "put";
  /** In Hono's words: `/rollbacks/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role;
  /** Destroys or restores data: a second factor and the role as it is now are needed. */
  readonly destructive?: boolean;
  readonly status?: 200 | 201 | 202;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Content types of an answer that is sent as it is made; `handle` then gives a Streamed. */
  readonly streams?: readonly string[];
  readonly response: z.ZodType<R>;
  handle(input: RouteInput<P, Q, B>, deps: AppDeps): Promise<R | Streamed>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of routes holds routes of every shape
export type AnyRoute = Route<any, any, any, any>;

export function route<P = unknown, Q = unknown, B = unknown, R = unknown>(definition: Route<P, Q, B, R>): AnyRoute {
  return definition;
}

/** Puts the routes on the app: authenticate, authorise, parse, call the verb, answer. */
export function mount(app: Hono, routes: readonly AnyRoute[], deps: AppDeps): void {
  for (const definition of routes)
    app.on(definition.method.toUpperCase(), definition.path, (c) => handle(c, definition, deps));
}

async function handle(c: Context, definition: AnyRoute, deps: AppDeps): Promise<Response> {
  const caller = await authenticate(c.req.raw, deps.auth, deps.now());
  requireRole(caller.role, definition.role);
  const belay = deps.belay(caller.actor, caller.subject);
  if (definition.destructive) await checkDestructive(caller, definition.role, belay);
  const text = definition.body === undefined ? "" : await c.req.text();
  const input = {
    params: parse(definition.params, c.req.param(), "path"),
    query: parse(definition.query, c.req.query(), "query"),
    body: parse(definition.body, definition.body === undefined ? {} : parseJson(text), "body"),
    belay,
    caller,
  };
  if (definition.streams !== undefined) return streamedResponse((await definition.handle(input, deps)) as Streamed);
  const run = () => definition.handle(input, deps);
  const status = definition.status ?? 200;
  const key = definition.method === "post" ? c.req.header("idempotency-key") : undefined;
  if (key !== undefined) return answerOnce({ c, belay, subject: caller.subject, key, text, status, run });
  return c.json((await run()) as object, status);
}

async function checkDestructive(caller: Caller, needed: Role, belay: Belay): Promise<void> {
  requireSecondFactor(caller);
  const current = await withSession(belay, "belay role", ({ sql }) => currentUserRole(sql, caller.subject));
  if (current === "not_kept") return;
  const role = roles.find((known) => known === current);
  if (current === "gone" || role === undefined)
    throw new BelayError("forbidden", "the user no longer has a role here", { hint: "Sign in again." });
  requireRole(role, needed);
}

function parse(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return {};
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    path: [place, ...issue.path].join("."),
    message: issue.message,
  }));
  throw new BelayError("usage", issues.map((issue) => `${issue.path}: ${issue.message}`).join("; "), {
    hint: "See /openapi.json for what this route takes.",
    details: { issues },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError("body_invalid", "the body is not valid JSON", "Send a JSON object.");
  }
}

/** `limit` and `cursor` of every listing. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(2_000).optional(),
});

export function pageOfSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
