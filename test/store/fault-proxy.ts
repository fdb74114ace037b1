import http from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";

export interface FaultProxy {
  readonly endpoint: string;
  /** Requests so far, as `METHOD path`. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** What a proxy does with a request: passes it on (undefined), answers it itself, or cuts the answer after some bytes. */
export type Fault = { readonly status: number; readonly code: string } | { readonly cutAfter: number } | undefined;

/** A proxy before an S3 server that spoils the requests that `choose` names. */
export async function startFaultProxy(
  endpoint: string,
  choose: (request: { method: string; path: string; count: number }) => Fault,
): Promise<FaultProxy> {
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
