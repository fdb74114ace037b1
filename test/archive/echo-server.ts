import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A server that runs nothing: it keeps the queries that a client sends, and answers that each was empty. */
export interface EchoServer {
  readonly url: string;
  readonly queries: string[];
  close(): Promise<void>;
}

/** Speaks just enough of Postgres' protocol 3 for psql, which sends what its own lexer made of a script. */
export async function startEchoServer(): Promise<EchoServer> {
  const queries: string[] = [];
  const server: Server = createServer((socket) => serve(socket, queries));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://tester@127.0.0.1:${port}/nothing?sslmode=disable&gssencmode=disable`,
    queries,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function serve(socket: Socket, queries: string[]): void {
  let waiting = Buffer.alloc(0);
  let started = false;
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      const head = started ? 5 : 4;
      if (waiting.length < head) return;
      const length = waiting.readUInt32BE(head - 4) + head - 4;
      if (waiting.length < length) return;
      const body = waiting.subarray(head, length);
      const type = started ? String.fromCharCode(waiting[0]!) : "";
      waiting = waiting.subarray(length);
      if (!started) {
        started = true;
        socket.write(
          Buffer.concat([message("R", int(0)), ...parameters.map(parameter), message("Z", Buffer.from("I"))]),
        );
      } else if (type === "Q") {
        const text = body.subarray(0, -1).toString("utf8");
        queries.push(text);
        socket.write(Buffer.concat([...settings(text), message("I", Buffer.alloc(0)), message("Z", Buffer.from("I"))]));
      } else if (type === "X") socket.end();
    }
  });
}

const parameters: readonly [string, string][] = [
  ["server_version", "15.0"],
  ["server_encoding", "UTF8"],
  ["client_encoding", "UTF8"],
  ["standard_conforming_strings", "on"],
];

/** psql's lexer follows what the server reports of this setting. */
function settings(text: string): Buffer[] {
  const found = /^set standard_conforming_strings = (on|off)/i.exec(text);
  return found === null ? [] : [parameter(["standard_conforming_strings", found[1]!])];
}

function parameter([name, value]: readonly [string, string]): Buffer {
  return message("S", Buffer.from(`${name}\0${value}\0`));
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int(body.length + 4), body]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
