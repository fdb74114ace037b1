import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Heard {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly at: Date;
}

export interface Listener {
  readonly url: string;
  readonly heard: Heard[];
  /** What a path answers; default: 204. */
  answer(path: string, how: (request: IncomingMessage, response: ServerResponse, count: number) => void): void;
  on(path: string): Heard[];
  close(): Promise<void>;
}

/** A real HTTP server that writes down what it is told. */
export async function listen(): Promise<Listener> {
  const heard: Heard[] = [];
  const answers = new Map<string, Parameters<Listener["answer"]>[1]>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => (body += text));
    request.on("end", () => {
      const path = request.url ?? "/";
      heard.push({ path, method: request.method ?? "", headers: request.headers, body, at: new Date() });
      const how = answers.get(path);
      if (how === undefined) response.writeHead(204).end();
      else how(request, response, heard.filter((each) => each.path === path).length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    answer: (path, how) => void answers.set(path, how),
    on: (path) => heard.filter((each) => each.path === path),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * As a receiver checks a message (Standard Webhooks 1.0, "Verifying webhook authenticity"), written apart from Belay's own:
 * the content is `id.timestamp.body`, the key the base64 after `whsec_`, a signature `v1,` and base64.
 */
export function signedBy({ headers, body, at }: Heard, secret: string): boolean {
  const [id, timestamp] = [String(headers["webhook-id"]), String(headers["webhook-timestamp"])];
  if (Math.abs(at.getTime() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64");
  return String(headers["webhook-signature"])
    .split(" ")
    .some((each) => each === `v1,${expected}`);
}
