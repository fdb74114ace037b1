import http from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";

export interface FaultProxy {
  readonly endpoint: string;
  /** Requests so far, as `METHOD path`. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** What a proxy does with a request: passes it on (undefined), answers it itself, or cuts the answer after some bytes. */
export type Fault =
  | { readonly status: number; readonly code: string; readonly message?: string }
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cutAfter: number }
  | { readonly reset: true }
  | { readonly flip: true }
  | undefined;

/** A proxy before an S3 server that spoils the requests that `choose` names. */
export async function startFaultProxy(
  endpoint: string,
  choose: (request: { method: string; path: string; count: number; headers: http.IncomingHttpHeaders }) => Fault,
): Promise<FaultProxy> {
  const target = new URL(endpoint);
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    const method = request.method!;
    const path = request.url!;
    seen.push(`${method} ${path}`);
    const fault = choose({ method, path, count: seen.length, headers: request.headers });
    if (fault !== undefined && "reset" in fault) return void request.socket.resetAndDestroy();
    if (fault !== undefined && "status" in fault) {
      request.resume();
      request.on("end", () => {
        const headers = "headers" in fault ? fault.headers : {};
        response.writeHead(fault.status, { "content-type": "application/xml", ...headers });
        if (!("code" in fault)) return void response.end(fault.body);
        const { code, message = "planted" } = fault;
        response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
      });
      return;
    }
    const onward = http.request(
      { host: target.hostname, port: target.port, method, path, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        if (fault === undefined || !("cutAfter" in fault)) return void answer.pipe(response);
        let left = fault.cutAfter;
        answer.on("data", (chunk: Buffer) => {
          response.write(chunk.subarray(0, left));
          left -= chunk.length;
          if (left <= 0) setImmediate(() => response.destroy());
        });
      },
    );
    onward.on("error", () => response.destroy());
    if (fault === undefined || !("flip" in fault)) return void request.pipe(onward);
    let first = true;
    request.on("data", (chunk: Buffer) => {
      const copy = Buffer.from(chunk);
      if (first) copy[0]! ^= 1;
      first = false;
      onward.write(copy);
    });
    request.on("end", () => onward.end());
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
