import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { isBelayError } from "../shared/errors.ts";
import type { AppDeps } from "./deps.ts";
import { HttpError, problemResponse } from "./problem.ts";

/** Largest request body, in bytes: every body here is a short JSON document. */
export const maxBodyBytes = 256 * 1024;

/** A Hono app with request ids, CORS, a body limit and problem documents for every failure. */
export function createApp(basePath: string, deps: AppDeps): Hono {
  const root = new Hono();
  root.use(requestId());
  root.use(
    cors({
      origin: deps.corsOrigin,
      allowHeaders: ["authorization", "x-client-info", "apikey", "content-type", "idempotency-key"],
      allowMethods: ["GET", "POST", "PUT", "OPTIONS"],
      exposeHeaders: ["x-request-id", "idempotency-replayed"],
      maxAge: 600,
    }),
  );
  root.use(async (c, next) => {
    await next();
    c.res.headers.set("cache-control", "no-store");
    c.res.headers.set("x-content-type-options", "nosniff");
  });
  root.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new HttpError("body_too_large", `the body is larger than ${maxBodyBytes} bytes`);
      },
    }),
  );
  root.onError((error, c) => {
    const id = c.get("requestId") as string | undefined;
    if (!isBelayError(error) && !(error instanceof HttpError)) deps.log(`request ${id}: ${traceOf(error)}`);
    return problemResponse(error, id);
  });
  root.notFound((c) =>
    problemResponse(
      new HttpError(
        "route_not_found",
        `${c.req.method} ${c.req.path} is not a route of this function`,
        "See /openapi.json.",
      ),
      c.get("requestId") as string | undefined,
    ),
  );
  return root.basePath(basePath) as unknown as Hono;
}

/** Name and places of an error, for the log: a message could hold a row's value. */
function traceOf(error: Error): string {
  const places = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [error.name, ...places.slice(0, 8).map((line) => line.trim())].join(" ");
}
