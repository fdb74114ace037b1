import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
// @ts-expect-error s3rver has no types
import S3rver from "s3rver";

export const s3rverCredentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

export interface S3Server {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** An S3 server on a free port, on a temporary folder, with the buckets named. */
export async function startS3Server(buckets: readonly string[]): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "belay-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    configureBuckets: buckets.map((name) => ({ name })),
  });
  const { port } = (await server.run()) as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a proxy does with a request: passes it on (undefined), answers it itself, or cuts the answer after some bytes. */
export type Fault = { readonly status: number; readonly code: string } | { readonly cutAfter: number } | undefined;

/** A proxy before an S3 server that spoils the requests that `choose` names. */
export async function startFaultProxy(
  endpoint: string,
  choose: (request: { method: string; path: string; count: number }) => Fault,
): Promise<S3Server & { readonly seen: string[] }> {
  const target = new URL(endpoint);
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    const method = request.method!;
    const path = request.url!;
    seen.push(`${method} ${path}`);
    const fault = choose({ method, path, count: seen.length });
    if (fault !== undefined && "status" in fault) {
      request.resume();
      request.on("end", () => {
        response.writeHead(fault.status, { "content-type": "application/xml" });
        response.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>planted</Message></Error>`);
      });
      return;
    }
    const onward = http.request(
      { host: target.hostname, port: target.port, method, path, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        if (fault === undefined) return void answer.pipe(response);
        let left = fault.cutAfter;
        answer.on("data", (chunk: Buffer) => {
          response.write(chunk.subarray(0, left));
          left -= chunk.length;
          if (left <= 0) setImmediate(() => response.destroy());
        });
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
