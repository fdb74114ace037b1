import { isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { BelayError } from "../errors.ts";

/** How a connection is encrypted, by libpq's words (PostgreSQL manual, "SSL Support"). */
export interface TlsMode {
  readonly mode: "disable" | "prefer" | "require" | "verify-ca" | "verify-full";
  /** Path of a file of root certificates; null: those that the runtime trusts. */
  readonly rootCertificate: string | null;
}

const modes: Readonly<Record<string, TlsMode["mode"]>> = {
  disable: "disable",
  false: "disable",
  allow: "prefer",
  prefer: "prefer",
  require: "require",
  true: "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
};

/**
 * Reads `sslmode` and `sslrootcert` of a connection URL and returns the URL without them. Without `sslmode` the
 * connection is not encrypted. As in libpq, `require` with a root certificate verifies it. Throws `usage`.
 */
export function takeTlsMode(url: string): { url: string; tls: TlsMode } {
  // Not by URL, which cannot read several hosts: what it cannot read must not go unencrypted.
  const [place = "", ...rest] = url.split("?");
  const query = new URLSearchParams(rest.join("?"));
  const asked = query.get("sslmode") ?? query.get("ssl");
  const root = query.get("sslrootcert");
  if (asked === null && root === null) return { url, tls: { mode: "disable", rootCertificate: null } };
  for (const name of ["sslmode", "ssl", "sslrootcert"]) query.delete(name);
  const mode = root === "system" ? "verify-full" : modes[asked ?? "verify-ca"];
  if (mode === undefined)
    throw new BelayError("usage", `sslmode=${asked} is not known`, {
      hint: `Use one of disable, prefer, require, verify-ca, verify-full.`,
    });
  const rootCertificate = root === "system" ? null : root;
  const verified = mode === "require" && rootCertificate !== null ? "verify-ca" : mode;
  return { url: query.size === 0 ? place : `${place}?${query}`, tls: { mode: verified, rootCertificate } };
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const willing = 0x53;

/** Encrypts a new connection as `tls` asks; throws `database_unreachable` when the server cannot or is not who it should be. */
export async function secured(socket: Socket, host: string, tls: TlsMode): Promise<Socket> {
  if (tls.mode === "disable") return socket;
  const answer = await askForTls(socket);
  // More than one byte would be text that somebody put in before the encryption (CVE-2021-23222).
  if (answer.length !== 1) throw refused("the server's answer to the request for TLS is not one byte");
  if (answer[0] !== willing) {
    if (tls.mode === "prefer") return socket;
    throw refused("the server does not offer TLS");
  }
  const ca = tls.rootCertificate === null ? undefined : await readCertificates(tls.rootCertificate);
  return await handshake(
    connectTls({
      socket,
      ca,
      // What the certificate is compared with; without it, for an address, Node compares with "localhost".
      host,
      servername: isIP(host) ? undefined : host,
      rejectUnauthorized: tls.mode === "verify-ca" || tls.mode === "verify-full",
      ...(tls.mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
    }),
  );
}

function askForTls(socket: Socket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(refused("the server hung up when it was asked for TLS"));
    socket.once("error", reject).once("close", ended);
    socket.once("data", (answer: Uint8Array) => {
      socket.removeListener("error", reject).removeListener("close", ended);
      resolve(answer);
    });
    socket.write(sslRequest);
  });
}

function handshake(socket: TLSSocket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(refused(error.message, error));
    const ended = () => reject(refused("the server hung up"));
    socket.once("error", failed).once("close", ended);
    socket.once("secureConnect", () => {
      socket.removeListener("error", failed).removeListener("close", ended);
      resolve(socket);
    });
  });
}

async function readCertificates(path: string): Promise<string> {
  const { readRootCertificate } = await import("./root-certificate.ts");
  return await readRootCertificate(path);
}

function refused(why: string, cause?: unknown): BelayError {
  return new BelayError("database_unreachable", `the encrypted connection could not be made: ${why}`, {
    hint: "Check sslmode and sslrootcert in the database's URL.",
    cause,
  });
}
