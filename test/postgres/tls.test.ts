import { readFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isBelayError } from "../../shared/errors.ts";
import { copyIn, copyOut } from "../../shared/postgres/copy.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { takeTlsMode } from "../../shared/postgres/tls.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

const certificates = join(import.meta.dirname, "certificates");
const root = join(certificates, "ca.pem");
const willing = Buffer.from("S");

let database: TestDatabase;
let relay: Server;
/** What the relay answers to the request for TLS. */
let answer = willing;
let encrypted = 0;

/** A server before the server that speaks TLS, as a Postgres with `ssl = on` does. */
async function startRelay(): Promise<Server> {
  const [key, cert] = await Promise.all(["server.key", "server.pem"].map((file) => readFile(join(certificates, file))));
  const target = new URL(database.url);
  const server = createServer((client) => {
    client.on("error", () => {});
    client.once("data", (first: Buffer) => {
      const onward = connect(Number(target.port), target.hostname);
      const join = (from: Socket) => {
        for (const [a, b] of [
          [from, onward],
          [onward, from],
        ] as const) {
          a.on("error", () => {});
          a.pipe(b);
          a.on("close", () => b.destroy());
        }
      };
      if (first.length !== 8) {
        onward.write(first);
        return join(client);
      }
      client.write(answer);
      if (answer[0] !== willing[0]) return join(client);
      const secure = new TLSSocket(client, { isServer: true, key, cert });
      secure.once("secure", () => {
        encrypted += 1;
      });
      join(secure);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}

function url(parameters: string, host = "localhost"): string {
  const place = new URL(database.url);
  place.host = `${host}:${(relay.address() as { port: number }).port}`;
  return `${place.href}?${parameters}`;
}

async function codeOf(parameters: string, host?: string): Promise<string> {
  try {
    await (await openSession(url(parameters, host))).close();
    return "connected";
  } catch (error) {
    return isBelayError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

beforeAll(async () => {
  database = await createDatabase({ sql: "create table target (i integer)" });
  relay = await startRelay();
});
afterAll(async () => {
  relay?.close();
  await database?.drop();
});

describe("an encrypted connection", () => {
  test.each(["sslmode=prefer", "sslmode=require", `sslmode=verify-full&sslrootcert=${root}`, "ssl=true"])(
    "%s: queries and COPY in both directions",
    async (parameters) => {
      const before = encrypted;
      const session = await openSession(url(parameters));
      expect(encrypted).toBe(before + 1);
      const blocks: Uint8Array[] = [];
      for await (const block of copyOut(session, "copy (select generate_series(1, 200000)) to stdout"))
        blocks.push(block);
      const text = Buffer.concat(blocks).toString();
      expect(text.trimEnd().split("\n")).toHaveLength(200_000);
      await session.run("begin; truncate target");
      const rows = async function* () {
        yield* blocks;
      };
      expect(await copyIn(session, "copy target from stdin", rows())).toBe(200_000);
      await session.run("rollback");
      await session.close();
    },
  );

  test("without sslmode, or with disable, nothing is encrypted", async () => {
    const before = encrypted;
    expect(await codeOf("")).toBe("connected");
    expect(await codeOf("sslmode=disable")).toBe("connected");
    expect(encrypted).toBe(before);
  });

  test("verify-ca and verify-full refuse a certificate that no trusted root signed", async () => {
    expect(await codeOf("sslmode=verify-ca")).toContain("database_unreachable: ");
    expect(await codeOf("sslmode=verify-full")).toContain("database_unreachable: ");
    expect(await codeOf("sslmode=verify-full&sslrootcert=system")).toContain("database_unreachable: ");
  });

  test("verify-full refuses a name that is not the certificate's; verify-ca, and require with a root, do not look", async () => {
    expect(await codeOf(`sslmode=verify-full&sslrootcert=${root}`, "127.0.0.1")).toContain("database_unreachable: ");
    expect(await codeOf(`sslmode=verify-ca&sslrootcert=${root}`, "127.0.0.1")).toBe("connected");
    expect(await codeOf(`sslmode=require&sslrootcert=${root}`, "127.0.0.1")).toBe("connected");
  });

  test("a server without TLS: prefer goes on in the clear, require refuses", async () => {
    answer = Buffer.from("N");
    try {
      expect(await codeOf("sslmode=prefer")).toBe("connected");
      expect(await codeOf("sslmode=require")).toContain("does not offer TLS");
    } finally {
      answer = willing;
    }
  });

  test("text that somebody put in behind the server's answer is refused", async () => {
    answer = Buffer.from("Sinjected");
    try {
      expect(await codeOf("sslmode=require")).toContain("is not one byte");
    } finally {
      answer = willing;
    }
  });

  test("an unknown sslmode and a root certificate that is not there are usage errors", async () => {
    expect(await codeOf("sslmode=maybe")).toContain("usage: sslmode=maybe is not known");
    expect(await codeOf("sslmode=verify-ca&sslrootcert=/nowhere/ca.pem")).toContain("usage: ");
  });

  test("an URL of several hosts is encrypted as it asks, too", async () => {
    const before = encrypted;
    const several = url("sslmode=require").replace(/@([^/]+)\//, "@$1,$1/");
    expect(several).toContain(",");
    await (await openSession(several)).close();
    expect(encrypted).toBe(before + 1);
  });

  test("the URL that the driver sees does not ask for TLS again", () => {
    expect(takeTlsMode("postgres://a:b@host:1/db?sslmode=require&application_name=x")).toEqual({
      url: "postgres://a:b@host:1/db?application_name=x",
      tls: { mode: "require", rootCertificate: null },
    });
  });
});
