import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { join } from "node:path";

/** How the store lies or fails at one request. */
export const storeFaults = [
  /** PUT: says that it is stored, and it is not. */
  "forgets",
  /** PUT: stores it, and answers 500. */
  "stored_but_500",
  /** GET: the body ends early, with the connection. */
  "cut_read",
  /** GET: the body is shorter and says so. */
  "short_read",
  "flipped_byte",
  "slow",
  "stalls",
  "500",
  "503",
  "403",
  "409",
  "412",
  /** 507, as compatible stores answer when the disk is full. */
  "507",
  "reset",
  /** Lists leave out what was stored lately. */
  "late_list",
  "delete_fails",
] as const;
export type StoreFault = (typeof storeFaults)[number];

export interface StoreRequest {
  readonly ordinal: number;
  readonly method: string;
  readonly key: string;
}

export interface StoreProxy {
  readonly port: number;
  /** Told of each request before it is served; a fault that it answers is done. */
  watch(watch: ((request: StoreRequest) => StoreFault | null | Promise<StoreFault | null>) | null): void;
  heal(): void;
  close(): void;
}

const codes: Readonly<Partial<Record<StoreFault, readonly [number, string]>>> = {
  "500": [500, "InternalError"],
  "503": [503, "SlowDown"],
  "403": [403, "AccessDenied"],
  "409": [409, "ConditionalRequestConflict"],
  "412": [412, "PreconditionFailed"],
  "507": [507, "InsufficientStorage"],
  delete_fails: [500, "InternalError"],
};

/** A proxy in front of an S3 server on `directory` that lies when it is told to, and knows If-None-Match. */
export async function startStoreProxy(endpoint: string, directory: string): Promise<StoreProxy> {
  const target = new URL(endpoint);
  const stalled = new Set<ServerResponse>();
  let watch: Parameters<StoreProxy["watch"]>[0] = null;
  let ordinal = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const key = decodeURIComponent((request.url ?? "").split("?")[0]!);
    const method = request.method ?? "";
    const fault = (await watch?.({ ordinal: ordinal++, method, key })) ?? null;
    if (fault === "stalls") return void stalled.add(response);
    if (fault === "reset") return void request.socket.destroy();
    const taken = method === "PUT" && request.headers["if-none-match"] === "*" && isStored(directory, key);
    const refusal = taken ? codes["412"]! : fault === null ? undefined : codes[fault];
    if (refusal !== undefined) return refuse(request, response, ...refusal);
    if (fault === "forgets")
      return void request.resume().on("end", () => response.writeHead(200, { etag: '"0"' }).end());
    if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, 400));
    pass(target, request, response, fault);
  };
  const server = createServer((request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const heal = () => {
    watch = null;
    ordinal = 0;
    for (const response of stalled) response.destroy();
    stalled.clear();
  };
  return {
    port: (server.address() as { port: number }).port,
    watch: (next) => {
      ordinal = 0;
      watch = next;
    },
    heal,
    close: () => {
      heal();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** s3rver keeps each object as a file of this name. */
function isStored(directory: string, key: string): boolean {
  return existsSync(join(directory, `${key}._S3rver_object`));
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, code: string): void {
  request.resume().on("end", () => {
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(
      `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>A planned fault</Message></Error>`,
    );
  });
}

function pass(target: URL, request: IncomingMessage, response: ServerResponse, fault: StoreFault | null): void {
  const { hostname, port } = target;
  const onward = send(
    { hostname, port, method: request.method, path: request.url, headers: request.headers },
    (answer) => {
      if (fault === "stored_but_500") {
        answer.resume().on("end", () => response.writeHead(500).end());
        return;
      }
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const body = Buffer.concat(chunks);
        const { statusCode = 200, headers } = answer;
        const whole = statusCode >= 400 || request.method === "HEAD" || body.length === 0;
        if (whole || fault === null) return void response.writeHead(statusCode, headers).end(body);
        spoil(fault, response, statusCode, headers, body);
      });
    },
  );
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

function spoil(
  fault: StoreFault,
  response: ServerResponse,
  status: number,
  headers: IncomingMessage["headers"],
  body: Buffer,
): void {
  const half = body.subarray(0, Math.floor(body.length / 2));
  if (fault === "cut_read") {
    response.writeHead(status, headers);
    response.write(half, () => response.destroy());
  } else if (fault === "short_read")
    response.writeHead(status, { ...headers, "content-length": half.length }).end(half);
  else if (fault === "flipped_byte") {
    const copy = Buffer.from(body);
    copy[half.length] = copy[half.length]! ^ 0x10;
    response.writeHead(status, headers).end(copy);
  } else if (fault === "late_list") response.writeHead(status, headers).end(withoutContents(body));
  else response.writeHead(status, headers).end(body);
}

/** A listing that has not caught up. */
function withoutContents(body: Buffer): string {
  return body
    .toString("utf8")
    .replaceAll(/<Contents>.*?<\/Contents>/gs, "")
    .replaceAll(/<CommonPrefixes>.*?<\/CommonPrefixes>/gs, "");
}
