import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import postgres from "postgres";
import { stopAtExit } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { freePort } from "../../servers/ports.ts";
import { type PostgresServer, startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { type DenoFunction, startFunction } from "../deno.ts";
import { type S3Server, startS3 } from "../s3.ts";
import { createIdentity, type Identity, type User } from "./token.ts";

export const example = join(repository, "examples/shop/supabase");

/** Rolls back. */
const nora: User = { sub: "7d0e8d1c-6a5d-4a5e-9a37-1f6f0f5c2b11", email: "nora@example.com", role: "operator" };
/** Looks over her shoulder. */
export const omar: User = { sub: "1b7a42c0-3f0e-4a0b-8d1e-5f2c7e9a6d22", email: "omar@example.com", role: "approver" };

/** All that the story plays in: servers, functions, and how to reach them. */
export interface World {
  readonly database: string;
  readonly sql: postgres.Sql;
  readonly scratchSql: postgres.Sql;
  readonly s3: S3Server;
  readonly store: string;
  readonly identity: Identity;
  readonly secrets: { readonly cron: string; readonly webhook: string };
  /** Environment of the command line. */
  readonly environment: Readonly<Record<string, string>>;
  readonly functions: Readonly<Record<"rollbacks" | "drills" | "webhooks", DenoFunction>>;
  /** Bodies of the notifications that arrived. */
  readonly notices: string[];
}

/** Starts a database server, a second one for scratch databases, S3, a notification receiver and three functions. */
export async function startWorld(major: Major): Promise<World> {
  const [server, scratch, s3] = await Promise.all([startPostgres({ major }), startPostgres({ major }), startS3()]);
  const database = await createShop(server);
  const supabaseUrl = `http://127.0.0.1:${await freePort()}`;
  const identity = await createIdentity(supabaseUrl, nora);
  const secrets = {
    cron: `sb_secret_${randomBytes(16).toString("hex")}`,
    webhook: `whsec_${randomBytes(24).toString("base64")}`,
  };
  const notices: string[] = [];
  const receiver = await startReceiver(notices);
  const store = s3.storeUrl("shop");
  const common = {
    BELAY_DATABASE_URL: database,
    BELAY_STORE: store,
    BELAY_SCRATCH_URL: scratch.url,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
  const functionEnvironment = {
    ...common,
    SUPABASE_URL: supabaseUrl,
    SUPABASE_JWKS: identity.jwks,
    SUPABASE_SECRET_KEYS: JSON.stringify({ cron: secrets.cron }),
    BELAY_WEBHOOK_SECRET: secrets.webhook,
    BELAY_NOTIFY_URL: receiver,
  };
  const start = (name: string) => startFunction(`supabase/functions/${name}/index.ts`, functionEnvironment);
  const [rollbacks, drills, webhooks] = await Promise.all([start("rollbacks"), start("drills"), start("webhooks")]);
  return {
    database,
    sql: connect(database),
    scratchSql: connect(scratch.url),
    s3,
    store,
    identity,
    secrets,
    environment: { ...common, BELAY_MIGRATIONS: join(example, "migrations"), BELAY_ACTOR: "nora@example.com" },
    functions: { rollbacks, drills, webhooks },
    notices,
  };
}

function connect(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => {}, connection: { TimeZone: "UTC" } });
}

async function createShop(server: PostgresServer): Promise<string> {
  const sql = connect(server.url);
  await sql`create database shop`;
  await sql.end();
  const url = new URL(server.url);
  url.pathname = "/shop";
  return url.href;
}

function startReceiver(notices: string[]): Promise<string> {
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      notices.push(body);
      response.end();
    });
  });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  stopAtExit({ stop: async () => close(), kill: close });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/notices`);
    });
  });
}
