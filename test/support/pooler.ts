import { connect, createServer, type Socket } from "node:net";
import { createFrames } from "../../dev/faults/proxy/frames.ts";

export interface Pooler {
  readonly url: string;
  /** First value of a query's first row on each server connection that is free. */
  ask(query: string): Promise<string[]>;
  close(): void;
}

interface Server {
  readonly socket: Socket;
  /** Whose transaction it runs. */
  client: Client | null;
}

interface Client {
  readonly socket: { write(bytes: Buffer): void };
  server: Server | null;
  /** Messages that wait for a server. */
  readonly waiting: Buffer[];
}

/**
 * A pooler in transaction mode, as small as it can be: each client logs in on a server connection of its own, which then
 * belongs to all; whoever begins gets the one that was last given back, and keeps it to the end of the transaction.
 */
export async function startPooler(url: string): Promise<Pooler> {
  const target = new URL(url);
  const free: Server[] = [];
  const queue: Client[] = [];
  const sockets = new Set<Socket>();
  const release = (server: Server) => {
    server.client = null;
    free.push(server);
    const next = queue.shift();
    if (next !== undefined) assign(next);
  };
  const assign = (client: Client) => {
    const server = free.pop();
    if (server === undefined) return void queue.push(client);
    server.client = client;
    client.server = server;
    for (const bytes of client.waiting.splice(0)) server.socket.write(bytes);
  };
  const listener = createServer((socket) => {
    const own = connect(Number(target.port), target.hostname);
    for (const each of [socket, own]) sockets.add(each.on("error", () => {}));
    const client: Client = { socket, server: null, waiting: [] };
    const server: Server = { socket: own, client };
    client.server = server;
    const fromClient = createFrames({ startup: true });
    const fromServer = createFrames({ startup: false });
    socket.on("data", (chunk: Buffer) => {
      for (const { type, bytes } of fromClient(chunk)) {
        // A client that leaves does not end a connection that is everybody's.
        if (type === "X") socket.end();
        else if (client.server !== null) client.server.socket.write(bytes);
        else {
          client.waiting.push(bytes);
          if (!queue.includes(client)) assign(client);
        }
      }
    });
    own.on("data", (chunk: Buffer) => {
      for (const { type, bytes } of fromServer(chunk)) {
        const { client: holder } = server;
        holder?.socket.write(bytes);
        if (type !== "Z" || String.fromCharCode(bytes[5]!) !== "I") continue;
        if (holder !== null) holder.server = null;
        release(server);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const place = new URL(url);
  place.port = String((listener.address() as { port: number }).port);
  const ask = (query: string) =>
    Promise.all(free.splice(0).map((server) => new Promise<string>((resolve) => askServer(server, query, resolve))));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  };
  return { url: place.href, ask, close };
}

function askServer(server: Server, query: string, answer: (value: string) => void): void {
  const text = Buffer.from(`${query}\0`);
  const head = Buffer.from("Q\0\0\0\0");
  head.writeInt32BE(text.length + 4, 1);
  const socket = {
    // A row: type, length, number of values, length of the first.
    write: (bytes: Buffer) => {
      if (bytes[0] === 0x44) answer(bytes.toString("utf8", 11, 11 + bytes.readInt32BE(7)));
    },
  };
  server.client = { socket, server, waiting: [] };
  server.socket.write(Buffer.concat([head, text]));
}
